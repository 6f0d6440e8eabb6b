package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

// clusterServer answers with a cluster of one node, two pods and a policy. Pods may be
// forbidden.
func clusterServer(t *testing.T, podsForbidden *bool) (kubeconfig string) {
	t.Helper()
	answers := map[string]string{
		"/api":  `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis": `{"kind":"APIGroupList","groups":[{"name":"networking.k8s.io","versions":[{"groupVersion":"networking.k8s.io/v1","version":"v1"}]},{"name":"discovery.k8s.io","versions":[{"groupVersion":"discovery.k8s.io/v1","version":"v1"}]}]}`,
		"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"services","kind":"Service","verbs":["list"]},{"name":"nodes","kind":"Node","verbs":["list"]},
			{"name":"pods","kind":"Pod","verbs":["list"]},{"name":"namespaces","kind":"Namespace","verbs":["list"]}]}`,
		"/apis/networking.k8s.io/v1": `{"kind":"APIResourceList","groupVersion":"networking.k8s.io/v1","resources":[{"name":"networkpolicies","kind":"NetworkPolicy","verbs":["list"]}]}`,
		"/apis/discovery.k8s.io/v1":  `{"kind":"APIResourceList","groupVersion":"discovery.k8s.io/v1","resources":[{"name":"endpointslices","kind":"EndpointSlice","verbs":["list"]}]}`,
		"/api/v1/nodes":              `{"items":[{"metadata":{"name":"node-a"},"spec":{"podCIDRs":["10.1.0.0/24"]}}]}`,
		"/api/v1/pods": `{"items":[{"metadata":{"name":"web","namespace":"shop","labels":{"app":"web"}},"spec":{"nodeName":"node-a","containers":[{"name":"c","image":"i"}]},"status":{"podIPs":[{"ip":"10.1.0.1"}]}},
			{"metadata":{"name":"db","namespace":"shop","labels":{"app":"db"}},"spec":{"nodeName":"node-a","containers":[{"name":"c","image":"i"}]},"status":{"podIPs":[{"ip":"10.1.0.2"}]}}]}`,
		"/api/v1/namespaces":                         `{"items":[{"metadata":{"name":"shop","labels":{"kubernetes.io/metadata.name":"shop"}}}]}`,
		"/apis/networking.k8s.io/v1/networkpolicies": `{"items":[{"metadata":{"name":"db","namespace":"shop"},"spec":{"podSelector":{"matchLabels":{"app":"db"}},"policyTypes":["Ingress"]}}]}`,
	}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch answer, known := answers[r.URL.Path]; {
		case r.Method != http.MethodGet:
			t.Errorf("%s %s", r.Method, r.URL)
		case r.URL.Path == "/api/v1/pods" && *podsForbidden:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"pods is forbidden","code":403}`)
		case known:
			fmt.Fprint(w, answer)
		default:
			fmt.Fprint(w, `{"items":[]}`)
		}
	}))
	t.Cleanup(h.Close)
	path := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{name: c, cluster: {server: %q}}]\ncontexts: [{name: prod, context: {cluster: c}}]\n", h.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCluster runs commands on the objects of a cluster.
func TestCluster(t *testing.T) {
	forbidden := false
	kubeconfig := clusterServer(t, &forbidden)
	t.Setenv("KUBECONFIG", kubeconfig)
	dir := t.TempDir()
	changed := "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, namespace: shop}\nspec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}\n"
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, args string
		plugin     bool
		forbidden  bool
		code       int
		want       string // in either output
	}{
		{name: "a context", args: "trace --context prod --cluster-cidr 10.1.0.0/24 --from shop/web --to shop/db --port 80", want: "context prod"},
		{name: "a kubeconfig", args: "matrix --kubeconfig " + kubeconfig + " --cluster-cidr 10.1.0.0/24 --port 80", want: "1 of 2 pairs allowed"},
		{name: "a plugin", plugin: true, args: "matrix --cluster-cidr 10.1.0.0/24 --port 80", want: "1 of 2 pairs allowed"},
		{name: "no plugin", args: "matrix --port 80", code: 2, want: "--context"},
		{name: "an unknown context", args: "lint --context nowhere", code: 2, want: "nowhere"},
		{name: "both", args: "lint --context prod -f " + dir, code: 2, want: "not both"},
		{name: "forbidden", forbidden: true, args: "compile --context prod --node node-a --backend nftables", code: 2, want: "pods: pods is forbidden"},
		{name: "forbidden and allowed", forbidden: true, args: "compile --context prod --node node-a --backend nftables --keep-going", want: "pods: pods is forbidden"},
		{name: "diff", args: "diff context: " + dir + " --cluster-cidr 10.1.0.0/24", code: 1, want: "NetworkPolicy shop/db"},
		{name: "diff with a name", args: "diff " + dir + " context:prod --kubeconfig " + kubeconfig + " --cluster-cidr 10.1.0.0/24", code: 1, want: "NetworkPolicy shop/db"},
		{name: "help", plugin: true, args: "--help", want: "kubectl planec"},
	} {
		forbidden = c.forbidden
		var out bytes.Buffer
		code := cli.Run(strings.Fields(c.args), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out, Plugin: c.plugin})
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: code %d, want %d and %q:\n%s", c.name, code, c.code, c.want, out.String())
		}
	}
}
