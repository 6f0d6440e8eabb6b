package apisource

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// policyServer is an API server with ClusterNetworkPolicies in some versions. Their
// resource versions grow with each change, whose watches it ends, as the real one does.
type policyServer struct {
	server

	mu       sync.Mutex
	versions []string
	names    []string
	revision int
	changed  chan struct{}
	asked    map[string]int // lists and watches that were answered, by version
}

func newPolicyServer(names []string, versions ...string) *policyServer {
	return &policyServer{versions: versions, names: names, changed: make(chan struct{}), asked: make(map[string]int)}
}

// serve changes what the server has.
func (s *policyServer) serve(names []string, versions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names, s.versions, s.revision = names, versions, s.revision+1
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *policyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, custom := strings.CutPrefix(r.URL.Path, "/apis/policy.networking.k8s.io/")
	if !custom {
		s.server.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	version, resource, _ := strings.Cut(path, "/")
	s.mu.Lock()
	changed, served := s.changed, slices.Contains(s.versions, version) && (resource == "" || resource == "clusternetworkpolicies")
	list := s.list(version)
	if served && resource != "" {
		s.asked[version]++
	}
	s.mu.Unlock()
	query := r.URL.Query()
	switch {
	case !served:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not here","reason":"NotFound","code":404}`)
	case resource == "":
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"policy.networking.k8s.io/%s","resources":[
			{"name":"clusternetworkpolicies","namespaced":false,"kind":"ClusterNetworkPolicy","verbs":["list","watch"]}]}`, version)
	case query.Get("sendInitialEvents") != "":
		w.WriteHeader(http.StatusUnprocessableEntity) // an older server
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no streams","reason":"Invalid","code":422}`)
	case query.Get("watch") != "":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-changed:
		}
	default:
		fmt.Fprint(w, list)
	}
}

// list is the answer to a list in a version. The lock is held.
func (s *policyServer) list(version string) string {
	var items []string
	for _, name := range s.names {
		items = append(items, fmt.Sprintf(`{"metadata":{"name":%q,"uid":"u-%s","resourceVersion":"1"},"spec":{"tier":"Admin","priority":1,"subject":{"namespaces":{}}}}`, name, name))
	}
	return fmt.Sprintf(`{"kind":"ClusterNetworkPolicyList","apiVersion":"policy.networking.k8s.io/%s","metadata":{"resourceVersion":"%d"},"items":[%s]}`,
		version, s.revision+1, strings.Join(items, ","))
}

// follower is a source beside a policyServer.
type follower struct {
	t       *testing.T
	api     *policyServer
	inbox   *inbox.Inbox
	others  *objects.Set
	reports chan diag.List
}

func follow(t *testing.T, api *policyServer) *follower {
	t.Helper()
	web := httptest.NewServer(api)
	t.Cleanup(web.Close)
	f := &follower{t: t, api: api, inbox: inbox.New(), reports: make(chan diag.List, 100)}
	s, err := New(Options{
		Config: &rest.Config{Host: web.URL}, Node: "a", Policies: true, Log: slog.New(slog.DiscardHandler),
		Report: func(all diag.List) { f.reports <- all },
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Run(t.Context(), f.inbox)
	return f
}

// has waits until the compiler is given these policies.
func (f *follower) has(names ...string) {
	f.t.Helper()
	var got []string
	for deadline := time.After(30 * time.Second); ; {
		if batch, ok := f.inbox.Take(); ok && batch.Update.Others != nil {
			f.others = batch.Update.Others
		}
		if f.others != nil {
			got = got[:0]
			for _, p := range f.others.ClusterNetworkPolicies {
				got = append(got, p.Object.Name)
			}
			if slices.Sort(got); slices.Equal(got, names) {
				return
			}
		}
		select {
		case <-f.inbox.Wake():
		case <-deadline:
			f.t.Fatalf("the policies are %q and should be %q", got, names)
		}
	}
}

// TestPolicyVersions has servers with each version of ClusterNetworkPolicy, with both
// and with none: the newest that there is gets asked, and no other.
func TestPolicyVersions(t *testing.T) {
	for _, c := range []struct {
		served []string
		asked  string
	}{
		{[]string{"v1alpha2"}, "v1alpha2"},
		{[]string{"v1beta1"}, "v1beta1"},
		{[]string{"v1alpha2", "v1beta1"}, "v1beta1"},
		{nil, ""},
	} {
		t.Run(strings.Join(c.served, "+"), func(t *testing.T) {
			t.Parallel()
			names := []string{"deny"}
			if c.asked == "" {
				names = nil
			}
			f := follow(t, newPolicyServer(names, c.served...))
			f.has(names...)
			f.api.mu.Lock()
			defer f.api.mu.Unlock()
			for _, v := range c.served {
				if asked := f.api.asked[v] > 0; asked != (v == c.asked) {
					t.Errorf("%s was asked: %v", v, asked)
				}
			}
		})
	}
}

// TestVersionIsWithdrawn has a server that stops to serve the version which is followed:
// the source goes on with the other one. When none is left the policies stay, which is said.
func TestVersionIsWithdrawn(t *testing.T) {
	t.Parallel()
	f := follow(t, newPolicyServer([]string{"a", "b"}, "v1alpha2"))
	f.has("a", "b")
	f.api.serve([]string{"a", "c"}, "v1beta1")
	f.has("a", "c")

	f.api.serve(nil)
	for deadline := time.After(30 * time.Second); ; {
		var all diag.List
		select {
		case all = <-f.reports:
		case <-deadline:
			t.Fatal("a kind that is gone is not named")
		}
		if len(all) == 1 && all[0].Code == diag.UnreadKind && strings.Contains(all[0].Message, "clusternetworkpolicies: the API server does not have the kind any more") {
			break
		}
	}
	f.has("a", "c")
	f.api.serve([]string{"d"}, "v1beta1")
	f.has("d")
}
