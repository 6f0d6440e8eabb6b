package apisource

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// eventServer takes events as an API server does: a name is taken once.
type eventServer struct {
	mu    sync.Mutex
	posts int
	names map[string]string
}

func (s *eventServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts++
	scheme, _ := newScheme()
	decoded, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(raw, nil, nil)
	event, ok := decoded.(*eventsv1.Event)
	w.Header().Set("Content-Type", "application/json")
	status := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure}
	switch {
	case err != nil || !ok || r.Method != http.MethodPost:
		status.Code, status.Reason = 400, metav1.StatusReasonBadRequest
	case s.names[event.Name] != "":
		status.Code, status.Reason = 409, metav1.StatusReasonAlreadyExists
	default:
		s.names[event.Name] = event.Note
		status.Code, status.Status = 201, metav1.StatusSuccess
	}
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}

// TestEventsOfManyNodes has many nodes find 250 things wrong with one Service, and
// start again: the cluster gets a few events, each once.
func TestEventsOfManyNodes(t *testing.T) {
	api := &eventServer{names: make(map[string]string)}
	web := httptest.NewServer(api)
	t.Cleanup(web.Close)
	var findings diag.List
	for i := range 250 {
		findings.Add(diag.ClaimedFrontend, ir.Origin{Kind: "Service", Namespace: "shop", Name: "web", Path: fmt.Sprintf("spec.externalIPs[%d]", i)}, "another has it")
	}
	const nodes, lives = 5, 2
	for life := range lives {
		for node := range nodes {
			s, err := New(Options{Config: &rest.Config{Host: web.URL}, Node: fmt.Sprint("n", node), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range s.watched {
				w.store.inbox, w.store.finisher, w.store.listed = inbox.New(), manifest.NewFinisher(), nil
			}
			if err := s.watched[0].store.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u-1"}}); err != nil {
				t.Fatal(err)
			}
			e, err := s.Events()
			if err != nil {
				t.Fatal(err)
			}
			e.delay, e.every = time.Millisecond, time.Millisecond
			go e.Run(t.Context(), s.Log)
			e.Diagnosed(findings)
			e.Diagnosed(append(findings[:len(findings):len(findings)], findings[0]))
			e.Warn(ir.Origin{Kind: "Service", Namespace: "shop", Name: "web"}, "FailedToStartServiceHealthcheck", "Listen", fmt.Sprint("port taken on node ", node))
			want := (life*nodes + node + 1) * (eventsOfOne + 2)
			for range 500 {
				if api.mu.Lock(); api.posts >= want {
					api.mu.Unlock()
					break
				}
				api.mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if len(api.names) != eventsOfOne+2 || api.posts != nodes*lives*(eventsOfOne+2) {
		t.Errorf("%d events after %d requests, want %d after %d: %v", len(api.names), api.posts, eventsOfOne+2, nodes*lives*(eventsOfOne+2), api.names)
	}
	for name := range api.names {
		if !strings.HasPrefix(name, "web.") || len(name) > 253 {
			t.Errorf("an event is called %q", name)
		}
	}
}
