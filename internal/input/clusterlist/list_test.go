package clusterlist

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// server is an API server with objects by path of their list.
type server struct {
	mu      sync.Mutex
	objects map[string][]string
	// answers replace those of lists.
	answers map[string]http.HandlerFunc
	asked   []string // every request for a list
	entries bool     // ask for Ingresses too
	// progress is as of Source.
	progress func(objects int)
}

// groups are what the server has: group and version, then the names and kinds of resources.
var groups = map[string][]string{
	"v1":                               {"services Service", "nodes Node", "pods Pod", "namespaces Namespace", "pods/status Pod"},
	"discovery.k8s.io/v1":              {"endpointslices EndpointSlice"},
	"networking.k8s.io/v1":             {"networkpolicies NetworkPolicy", "ingresses Ingress"},
	"cilium.io/v2":                     {"ciliumnetworkpolicies CiliumNetworkPolicy", "ciliumnodes CiliumNode"},
	"policy.networking.k8s.io/v1beta1": {"clusternetworkpolicies ClusterNetworkPolicy"},
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	version := strings.Trim(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis"), "/api"), "/")
	switch {
	case r.URL.Path == "/api":
		fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
	case r.URL.Path == "/apis":
		var list []string
		for v := range groups {
			if group, short, ok := strings.Cut(v, "/"); ok {
				list = append(list, fmt.Sprintf(`{"name":%q,"versions":[{"groupVersion":%q,"version":%q}]}`, group, v, short))
			}
		}
		slices.Sort(list)
		fmt.Fprintf(w, `{"kind":"APIGroupList","groups":[%s]}`, strings.Join(list, ","))
	case groups[version] != nil:
		var list []string
		for _, r := range groups[version] {
			name, kind, _ := strings.Cut(r, " ")
			list = append(list, fmt.Sprintf(`{"name":%q,"kind":%q,"namespaced":true,"verbs":["get","list"]}`, name, kind))
		}
		fmt.Fprintf(w, `{"kind":"APIResourceList","groupVersion":%q,"resources":[%s]}`, version, strings.Join(list, ","))
	default:
		s.list(w, r)
	}
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RequestURI())
	answer := s.answers[r.URL.Path]
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	all := s.objects[r.URL.Path]
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	to, next := min(from+limit, len(all)), ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	fmt.Fprintf(w, `{"kind":"List","metadata":{"continue":%q},"items":[%s]}`, next, strings.Join(all[from:to], ","))
}

func status(code int, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": "because of " + reason, "code": code,
		})
	}
}

func listFrom(t *testing.T, s *server) *Listed {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	l, err := list(t.Context(), &rest.Config{Host: h.URL, QPS: -1}, "context test", Source{Entries: s.entries, Progress: s.progress})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestPages lists more objects than one page has, and gives them to the reader of manifests.
func TestPages(t *testing.T) {
	s := &server{objects: map[string][]string{
		"/api/v1/nodes": {`{"metadata":{"name":"a","managedFields":[{"manager":"x"}]},"spec":{"podCIDRs":["10.1.0.0/24"]}}`},
		"/apis/cilium.io/v2/ciliumnetworkpolicies":   {`{"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"c","namespace":"shop"}}`},
		"/apis/networking.k8s.io/v1/networkpolicies": {`{"metadata":{"name":"p","namespace":"shop"},"spec":{"podSelector":{},"fieldOfTomorrow":1}}`},
	}}
	const pods = 1234
	for i := range pods {
		s.objects["/api/v1/pods"] = append(s.objects["/api/v1/pods"], fmt.Sprintf(`{"metadata":{"name":"p%d","namespace":"shop"},"spec":{"nodeName":"a","containers":[{"name":"c"}]},"status":{"podIPs":[{"ip":"10.1.0.%d"}]}}`, i, i%250+1))
	}
	var said []int
	s.progress = func(objects int) { said = append(said, objects) }
	l := listFrom(t, s)
	if len(l.Unread) > 0 {
		t.Errorf("%v", l.Unread)
	}
	if len(said) < 5 || !slices.IsSorted(said) || said[len(said)-1] != len(l.Objects) {
		t.Errorf("%d objects are listed, and %v are said on the way", len(l.Objects), said)
	}
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Built: l.Objects})
	if err != nil || len(set.Pods) != pods || len(set.Nodes) != 1 || set.Pods[0].File != "context test" {
		t.Errorf("%d pods, %d nodes, %v", len(set.Pods), len(set.Nodes), err)
	}
	for _, want := range []string{"CiliumNetworkPolicy", "fieldOfTomorrow"} {
		if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return strings.Contains(d.String(), want) }) {
			t.Errorf("nothing is said of %s: %v", want, diags)
		}
	}
	if n := strings.Count(strings.Join(s.asked, "\n"), "/api/v1/pods?"); n != 3 {
		t.Errorf("%d pages of pods", n)
	}
	for _, uri := range s.asked {
		if strings.Contains(uri, "watch") || strings.Contains(uri, "ingresses") || strings.Contains(uri, "ciliumnodes") || strings.Contains(uri, "secrets") {
			t.Errorf("asked for %s", uri)
		}
	}
}

// TestUnread: a kind that cannot be listed is said, and loses nothing else.
func TestUnread(t *testing.T) {
	ok := map[string][]string{"/api/v1/nodes": {`{"metadata":{"name":"a"}}`}}
	expired := 0
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"forbidden": {status(403, "Forbidden"), "pods: because of Forbidden"},
		"no JSON":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "pods: the answer is no list"},
		"no object": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[null]}`) }, "pods: an object of the list is null"},
		"no end":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"metadata":{"continue":"x"}}`) }, "pods: the same page again"},
		"too old":   {status(410, "Expired"), "pods: because of Expired"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, `{"it`)
		}, "pods: "},
		"terminals": {status(500, "\x1b[31mred"), "[31mred"},
		"once too old": {func(w http.ResponseWriter, r *http.Request) {
			if expired++; expired == 1 {
				status(410, "Expired")(w, r)
				return
			}
			fmt.Fprint(w, `{"items":[]}`)
		}, ""},
	} {
		l := listFrom(t, &server{objects: ok, answers: map[string]http.HandlerFunc{"/api/v1/pods": c.answer}})
		text := fmt.Sprint(l.Unread)
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s: %q", name, text)
		}
		if (c.want == "") != (len(l.Unread) == 0) || !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", name, text)
		}
		if len(l.Objects) != 1 {
			t.Errorf("%s: %d objects", name, len(l.Objects))
		}
	}
}

// TestContexts chooses a cluster by the names of a kubeconfig.
func TestContexts(t *testing.T) {
	s := &server{objects: map[string][]string{"/api/v1/nodes": {`{"metadata":{"name":"a"}}`}}}
	h := httptest.NewServer(s)
	defer h.Close()
	path := filepath.Join(t.TempDir(), "config")
	text, _ := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "one",
		"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": h.URL}}, map[string]any{"name": "gone", "cluster": map[string]any{"server": "http://127.0.0.1:1"}}},
		"contexts": []any{map[string]any{"name": "one", "context": map[string]any{"cluster": "c"}}, map[string]any{"name": "two", "context": map[string]any{"cluster": "gone"}}},
	})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := List(context.Background(), Source{Kubeconfig: path})
	if err != nil || l.Name != "context one" || len(l.Objects) != 1 {
		t.Errorf("%v, %v", l, err)
	}
	for name, want := range map[string]string{"two": "connection refused", "three": "three"} {
		if _, err := List(context.Background(), Source{Kubeconfig: path, Context: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := List(context.Background(), Source{Kubeconfig: path + "x"}); err == nil || !strings.Contains(err.Error(), "configx") {
		t.Errorf("%v", err)
	}
}

// TestEntries lists Ingresses only where they are asked for.
func TestEntries(t *testing.T) {
	s := &server{entries: true, objects: map[string][]string{
		"/apis/networking.k8s.io/v1/ingresses": {`{"metadata":{"name":"i","namespace":"shop"},"spec":{"defaultBackend":{"service":{"name":"web","port":{"number":80}}}}}`},
	}}
	l := listFrom(t, s)
	set, _, err := manifest.Load(t.Context(), manifest.Options{Built: l.Objects, Entries: true})
	if err != nil || len(set.Entries) != 1 {
		t.Errorf("%d entries, %v", len(set.Entries), err)
	}
}
