package apisource

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/planec/planec/internal/input/inbox"
)

// ciliumServer is an API server that has Cilium's kinds, the groups in the alpha version,
// or none of them.
type ciliumServer struct {
	server
	none bool

	mu     sync.Mutex
	config string // the field selector of ConfigMaps that were listed
}

func (s *ciliumServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	ours := strings.Contains(path, "cilium.io") || path == "api/v1" || path == "api/v1/configmaps"
	if r.URL.Query().Get("watch") != "" || !ours {
		s.server.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	resources := func(version string, names ...string) {
		var list []string
		for _, n := range names {
			list = append(list, fmt.Sprintf(`{"name":%q,"kind":"X","verbs":["list","watch"]}`, n))
		}
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":%q,"resources":[%s]}`, version, strings.Join(list, ","))
	}
	item := func(version, kind, meta, rest string) {
		fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[{"apiVersion":%q,"kind":%q,"metadata":{%s},%s}]}`, kind, version, version, kind, meta, rest)
	}
	const rule = `"spec":{"endpointSelector":{},"ingress":[{"fromEndpoints":[]}]}`
	switch {
	case path == "api/v1":
		resources("v1", "configmaps")
	case path == "api/v1/configmaps":
		s.mu.Lock()
		s.config = r.URL.Query().Get("fieldSelector")
		s.mu.Unlock()
		item("v1", "ConfigMap", `"namespace":"kube-system","name":"cilium-config"`, `"data":{"enable-policy":"always"}`)
	case s.none:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not here","reason":"NotFound","code":404}`)
	case path == "apis/cilium.io/v2":
		resources("cilium.io/v2", "ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies")
	case path == "apis/cilium.io/v2alpha1":
		resources("cilium.io/v2alpha1", "ciliumcidrgroups")
	case strings.HasSuffix(path, "ciliumnetworkpolicies"):
		item("cilium.io/v2", "CiliumNetworkPolicy", `"namespace":"shop","name":"p"`, rule)
	case strings.HasSuffix(path, "ciliumclusterwidenetworkpolicies"):
		item("cilium.io/v2", "CiliumClusterwideNetworkPolicy", `"name":"p"`, rule)
	default:
		item("cilium.io/v2alpha1", "CiliumCIDRGroup", `"name":"g"`, `"spec":{"externalCIDRs":["198.51.100.0/24"]}`)
	}
}

// TestCilium follows Cilium's kinds, and the options of its agent only beside them.
func TestCilium(t *testing.T) {
	for _, none := range []bool{false, true} {
		t.Run(fmt.Sprintf("none %v", none), func(t *testing.T) {
			t.Parallel()
			api := &ciliumServer{none: none}
			web := httptest.NewServer(api)
			t.Cleanup(web.Close)
			s, err := New(Options{Config: &rest.Config{Host: web.URL}, Node: "a", Policies: true, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			box := inbox.New()
			go s.Run(t.Context(), box)
			set := first(t, box)
			want := 1
			if none {
				want = 0
			}
			for kind, n := range map[string]int{
				"CiliumNetworkPolicy": len(set.CiliumNetworkPolicies), "CiliumClusterwideNetworkPolicy": len(set.CiliumClusterwideNetworkPolicies),
				"CiliumCIDRGroup": len(set.CiliumCIDRGroups), "ConfigMap": len(set.CiliumConfigs),
			} {
				if n != want {
					t.Errorf("%d objects of kind %s, want %d", n, kind, want)
				}
			}
			if !none && set.CiliumNetworkPolicies[0].Object.Spec.Ingress[0].FromEndpoints == nil {
				t.Error("an empty list became an absent one")
			}
			api.mu.Lock()
			defer api.mu.Unlock()
			if asked := api.config == "metadata.name=cilium-config,metadata.namespace=kube-system"; asked == none {
				t.Errorf("ConfigMaps were listed with the selector %q", api.config)
			}
		})
	}
}
