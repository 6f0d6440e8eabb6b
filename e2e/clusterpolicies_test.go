package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestClusterPolicies has an API server whose definition of ClusterNetworkPolicy has
// v1alpha2 only, as before network-policy-api v0.3.0; then the definition of today, and
// then v1alpha2 is withdrawn. The agent goes on through all of it.
func TestClusterPolicies(t *testing.T) {
	s := newStand(t, tools...)
	s.pod(t, "client", client)
	s.pod(t, "server", pods[0])
	s.define(t, "v1alpha2")
	s.deny(t, "v1alpha2", "first")
	a := agent.New(t, s.node, s.agentOptions(t, "nftables", "--policies"))
	start(t, a)
	to := testkit.Flow{From: eval.FromPod, Src: client, Dst: pods[0], Port: targetPort, Protocol: ir.TCP}
	s.fate(t, "denied by v1alpha2", to, testkit.TimedOut)

	s.define(t, "v1alpha2", "v1beta1")
	s.deny(t, "v1beta1", "second")
	s.allow(t, "v1beta1", "first")
	s.allow(t, "v1beta1", "second")
	s.fate(t, "both policies are gone", to, testkit.Answered)

	s.define(t, "v1beta1")
	s.deny(t, "v1beta1", "third")
	s.fate(t, "denied by v1beta1", to, testkit.TimedOut)
	s.allow(t, "v1beta1", "third")
	s.fate(t, "the third is gone", to, testkit.Answered)
	if n := values(t, a).Sum(agent.Failures); n > 0 {
		t.Errorf("%v failed applies", n)
	}
}

// define makes the API server serve ClusterNetworkPolicies in these versions, the last of
// which is stored. What it does not serve any more stays defined, since it was stored.
func (s *stand) define(t *testing.T, versions ...string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/network-policy-api").Output()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config/crd/standard/policy.networking.k8s.io_clusternetworkpolicies.yaml"))
	must(t, err)
	var definition map[string]any
	must(t, yaml.Unmarshal(text, &definition))
	all, _, err := unstructured.NestedSlice(definition, "spec", "versions")
	must(t, err)
	stored := versions[len(versions)-1]
	all = slices.DeleteFunc(all, func(v any) bool { return v.(map[string]any)["name"].(string) > stored })
	for _, v := range all {
		v := v.(map[string]any)
		v["served"], v["storage"] = slices.Contains(versions, v["name"].(string)), v["name"] == stored
	}
	must(t, unstructured.SetNestedSlice(definition, all, "spec", "versions"))
	text, err = json.Marshal(definition)
	must(t, err)
	must(t, s.Apply(within(t, time.Minute), text))
}

// deny makes a ClusterNetworkPolicy that lets no pod connect to the server. The API
// server takes a moment to serve what was defined.
func (s *stand) deny(t *testing.T, version, name string) {
	t.Helper()
	manifest := []byte(`apiVersion: policy.networking.k8s.io/` + version + `
kind: ClusterNetworkPolicy
metadata: {name: ` + name + `}
spec:
  tier: Admin
  priority: 10
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: server}}}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}]}
`)
	ctx := within(t, time.Minute)
	for {
		err := s.Apply(ctx, manifest)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// allow deletes a ClusterNetworkPolicy.
func (s *stand) allow(t *testing.T, version, name string) {
	t.Helper()
	c, err := dynamic.NewForConfig(s.Config())
	must(t, err)
	resource := schema.GroupVersionResource{Group: "policy.networking.k8s.io", Version: version, Resource: "clusternetworkpolicies"}
	must(t, c.Resource(resource).Delete(t.Context(), name, metav1.DeleteOptions{}))
}
