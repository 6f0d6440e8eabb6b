package apisource

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// server is an API server that has nothing, and refuses some of it.
type server struct {
	mu      sync.Mutex
	refuses map[string]int
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	resource := parts[len(parts)-1]
	s.mu.Lock()
	code := s.refuses[resource]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if code == 0 && r.URL.Query().Get("watch") != "" && r.URL.Query().Get("sendInitialEvents") != "" {
		code = http.StatusUnprocessableEntity // an older server
	}
	kinds := map[string]string{
		"services": "v1 ServiceList", "nodes": "v1 NodeList", "endpointslices": "discovery.k8s.io/v1 EndpointSliceList",
		"namespaces": "v1 NamespaceList", "pods": "v1 PodList", "networkpolicies": "networking.k8s.io/v1 NetworkPolicyList",
	}
	switch {
	case code != 0:
		reasons := map[int]string{403: "Forbidden", 404: "NotFound", 422: "Invalid", 500: "InternalError"}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no %s for you","reason":%q,"code":%d}`, resource, reasons[code], code)
	case r.URL.Query().Get("watch") != "":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case kinds[resource] != "":
		group, kind, _ := strings.Cut(kinds[resource], " ")
		fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, kind, group)
	default:
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"x/v1","resources":[]}`)
	}
}

// TestRefusedKind wants a kind that the server refuses to be named, once, and
// waited for; and nothing to be given out before it was listed.
func TestRefusedKind(t *testing.T) {
	for _, code := range []int{403, 404, 500} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			api := &server{refuses: map[string]int{"endpointslices": code}}
			web := httptest.NewServer(api)
			t.Cleanup(web.Close) // after the watches have ended
			reports := make(chan diag.List, 100)
			s, err := New(Options{Config: &rest.Config{Host: web.URL}, Node: "a", Log: slog.New(slog.DiscardHandler), Report: func(all diag.List) { reports <- all }})
			if err != nil {
				t.Fatal(err)
			}
			b := inbox.New()
			go s.Run(t.Context(), b)
			next := func() diag.List {
				select {
				case all := <-reports:
					return all
				case <-time.After(20 * time.Second):
					t.Fatal("nothing is said")
					return nil
				}
			}
			if all := next(); len(all) != 1 || all[0].Code != diag.UnreadKind || !strings.Contains(all[0].Message, "endpointslices: ") {
				t.Fatalf("said is %v", all)
			}
			time.Sleep(2 * time.Second)
			if _, complete := b.Take(); complete || len(reports) > 0 {
				t.Fatalf("complete: %v, more reports: %d", complete, len(reports))
			}
			api.mu.Lock()
			api.refuses = nil
			api.mu.Unlock()
			if all := next(); len(all) != 0 {
				t.Fatalf("after it was listed: %v", all)
			}
			select {
			case <-b.Wake():
			case <-time.After(5 * time.Second):
				t.Fatal("it is never complete")
			}
		})
	}
}
