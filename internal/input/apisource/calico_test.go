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

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir"
)

// calicoServer is an API server that has Calico's kinds in one group, or in none.
type calicoServer struct {
	server
	group string // with the version, or ""

	mu    sync.Mutex
	asked map[string]bool // the paths of lists
}

func (s *calicoServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	calico := strings.Contains(path, "projectcalico.org")
	if r.URL.Query().Get("watch") != "" || !calico && path != "api/v1" && path != "api/v1/serviceaccounts" {
		s.server.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	s.asked[path] = true
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	kinds := map[string]string{"networkpolicies": "NetworkPolicy", "globalnetworkpolicies": "GlobalNetworkPolicy", "tiers": "Tier", "networksets": "NetworkSet", "globalnetworksets": "GlobalNetworkSet"}
	group, resource, ofGroup := strings.Cut(strings.TrimPrefix(path, "apis/"+s.group), "/")
	switch {
	case path == "api/v1":
		fmt.Fprint(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"serviceaccounts","namespaced":true,"kind":"ServiceAccount","verbs":["list","watch"]}]}`)
	case path == "api/v1/serviceaccounts":
		fmt.Fprint(w, `{"kind":"ServiceAccountList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"namespace":"shop","name":"keeper","labels":{"rank":"gold"}}}]}`)
	case calico && (s.group == "" || !strings.HasPrefix(path, "apis/"+s.group)):
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not here","reason":"NotFound","code":404}`)
	case group == "" && !ofGroup:
		var list []string
		for name, kind := range kinds {
			list = append(list, fmt.Sprintf(`{"name":%q,"kind":%q,"verbs":["list","watch"]}`, name, kind))
		}
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":%q,"resources":[%s]}`, s.group, strings.Join(list, ","))
	default:
		item := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"namespace":"shop","name":"p"},"spec":{"selector":"all()","egress":[{"action":"Allow"}],"later":1}}`, s.group, kinds[resource])
		fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[%s]}`, kinds[resource], s.group, item)
	}
}

// TestCalico follows Calico's kinds in either group, and service accounts only beside
// them.
func TestCalico(t *testing.T) {
	for group, want := range map[string]int{"crd.projectcalico.org/v1": 1, "projectcalico.org/v3": 1, "": 0} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			api := &calicoServer{group: group, asked: make(map[string]bool)}
			web := httptest.NewServer(api)
			t.Cleanup(web.Close)
			s, err := New(Options{Config: &rest.Config{Host: web.URL}, Node: "a", Policies: true, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			box := inbox.New()
			go s.Run(t.Context(), box)
			set := first(t, box)
			for kind, n := range map[string]int{
				"CalicoNetworkPolicy": len(set.CalicoNetworkPolicies), "GlobalNetworkPolicy": len(set.CalicoGlobalNetworkPolicies), "Tier": len(set.CalicoTiers),
				"NetworkSet": len(set.CalicoNetworkSets), "GlobalNetworkSet": len(set.CalicoGlobalNetworkSets), "ServiceAccount": len(set.ServiceAccounts),
			} {
				if n != want {
					t.Errorf("%d objects of kind %s, want %d", n, kind, want)
				}
			}
			if want > 0 && set.CalicoNetworkPolicies[0].Object.Spec.Types[0] != "Egress" {
				t.Errorf("types %q: defaults are missing", set.CalicoNetworkPolicies[0].Object.Spec.Types)
			}
			api.mu.Lock()
			defer api.mu.Unlock()
			if api.asked["api/v1/serviceaccounts"] != (want > 0) {
				t.Errorf("service accounts were listed: %v", want == 0)
			}
			if about, known := s.reference(ir.Origin{Kind: objects.KindCalicoNetworkPolicy, Namespace: "shop", Name: "p"}); !known || about.Kind != "NetworkPolicy" {
				t.Errorf("an event would be about %v", about)
			}
		})
	}
}

// first returns the objects that the compiler is given first.
func first(t *testing.T, box *inbox.Inbox) *objects.Set {
	t.Helper()
	for deadline := time.After(30 * time.Second); ; {
		if batch, ok := box.Take(); ok && batch.Update.Others != nil {
			return batch.Update.Others
		}
		select {
		case <-box.Wake():
		case <-deadline:
			t.Fatal("nothing was given out")
		}
	}
}
