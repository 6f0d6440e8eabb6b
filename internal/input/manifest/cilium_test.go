package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const cilium = "apiVersion: cilium.io/v2\n"

func TestLoadCilium(t *testing.T) {
	tests := []struct {
		name, text string
		objects    []string
		diags      []string
	}{
		{
			name: "kinds, scopes, lists and versions",
			text: cilium + "kind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {}\n---\n" +
				cilium + "kind: CiliumNetworkPolicyList\nitems:\n- metadata: {name: b, namespace: x}\n  specs: []\n---\n" +
				cilium + "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: c, namespace: ignored}\nspec: {}\n---\n" +
				"apiVersion: cilium.io/v2alpha1\nkind: CiliumCIDRGroup\nmetadata: {name: g}\nspec: {externalCIDRs: []}\n---\n" +
				`{"apiVersion":"v1","kind":"List","items":[` + "\n" + `{"apiVersion":"cilium.io/v2","kind":"CiliumCIDRGroup","metadata":{"name":"h"},"spec":{}}]}`,
			objects: []string{
				"1 CiliumNetworkPolicy default/a", "12 CiliumClusterwideNetworkPolicy c", "17 CiliumCIDRGroup g", "23 CiliumCIDRGroup h", "9 CiliumNetworkPolicy x/b",
			},
		},
		{
			name: "the agent's options, and no other ConfigMap",
			text: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {enable-policy: always}\n---\n" +
				"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: other}\ndata: {a: b}\n---\n" +
				`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"kube-system"},"data":{"a":"cilium-config"}}`,
			objects: []string{"1 ConfigMap kube-system/cilium-config"},
			diags:   []string{"info PLC0003: skipped: 2 ConfigMap", "warning PLC0007: there is nothing to compile"},
		},
		{
			name: "a policy with an unknown field in a rule is closed; one that may select otherwise is left out",
			text: cilium + "kind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: {}\n  ingress:\n  - fromEndpoint: []\n---\n" +
				cilium + "kind: CiliumNetworkPolicy\nmetadata: {name: b}\nspec:\n  endpointSelectr: {}\n  ingress: []\n",
			objects: []string{"1 CiliumNetworkPolicy default/a"},
			diags: []string{
				"7: error PLC0015: CiliumNetworkPolicy default/a spec.ingress[0].fromEndpoint: unknown field: did you mean fromEndpoints? Until it is corrected, the policy accepts nothing and closes what it selects",
				"13: error PLC0015: CiliumNetworkPolicy default/b spec.endpointSelectr: unknown field: did you mean endpointSelector? What the policy selects cannot be known: it was left out, and closes nothing",
			},
		},
		{
			name:  "neither spec nor specs, and a port that is no text",
			text:  cilium + "kind: CiliumNetworkPolicy\nmetadata: {name: a}\n---\n" + cilium + "kind: CiliumNetworkPolicy\nmetadata: {name: b}\nspec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: 80}]}]}]}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0601: CiliumNetworkPolicy default/a spec: Required value", "8: error PLC0002: CiliumNetworkPolicy spec.ingress[0].toPorts[0].ports[0].port: number where a string should be"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, diags := load(t, tt.text)
			if diff := cmp.Diff(tt.objects, describe(set)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.diags, messages(diags)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLoadCiliumEmptyLists keeps the difference between an empty list and an absent one,
// and closes what a field that stands twice leaves open.
func TestLoadCiliumEmptyLists(t *testing.T) {
	set, diags := load(t, cilium+"kind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: {}\n  ingress:\n  - fromEndpoints: []\n    toPorts: [{ports: [{port: \"80\"}]}]\n")
	if len(diags) > 0 || len(set.CiliumNetworkPolicies) != 1 {
		t.Fatal(diags)
	}
	r := set.CiliumNetworkPolicies[0].Object.Spec.Ingress[0]
	if r.FromEndpoints == nil || r.FromEntities != nil {
		t.Errorf("%#v, want an empty list and an absent one", r.IngressCommon)
	}
}
