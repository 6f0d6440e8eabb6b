package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const calico = "apiVersion: projectcalico.org/v3\n"

func TestLoadCalico(t *testing.T) {
	tests := []struct {
		name, text string
		objects    []string
		diags      []string
	}{
		{
			name: "kinds, scopes and lists of both groups, beside a NetworkPolicy of Kubernetes with the same name",
			text: npA + "---\n" + calico + "kind: NetworkPolicy\nmetadata: {name: a}\nspec: {}\n---\n" +
				calico + "kind: NetworkPolicyList\nitems:\n- metadata: {name: b, namespace: x}\n  spec: {}\n---\n" +
				"apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: g, namespace: ignored}\nspec: {}\n---\n" +
				`{"apiVersion":"v1","kind":"List","items":[` + "\n" + `{"apiVersion":"projectcalico.org/v3","kind":"Tier","metadata":{"name":"t"},"spec":{}}]}` + "\n---\n" +
				calico + "kind: NetworkSet\nmetadata: {name: s}\nspec: {nets: [10.0.0.0/8]}\n---\n" + calico + "kind: GlobalNetworkSet\nmetadata: {name: s}\nspec: {}\n---\n" +
				"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n",
			objects: []string{
				"1 NetworkPolicy default/a", "13 CalicoNetworkPolicy x/b", "16 GlobalNetworkPolicy g", "22 Tier t",
				"24 NetworkSet default/s", "29 GlobalNetworkSet s", "34 ServiceAccount default/a", "5 CalicoNetworkPolicy default/a",
			},
		},
		{
			name: "a policy with an unknown field in a rule is closed; one that may select otherwise is left out",
			text: calico + "kind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  ingress:\n  - action: Allow\n    sources: {}\n---\n" +
				calico + "kind: NetworkPolicy\nmetadata: {name: b}\nspec:\n  selectr: app == 'a'\n",
			objects: []string{"1 CalicoNetworkPolicy default/a"},
			diags: []string{
				"7: error PLC0015: CalicoNetworkPolicy default/a spec.ingress[0].sources: unknown field: did you mean source? Until it is corrected, the policy accepts nothing and closes what it selects",
				"13: error PLC0015: CalicoNetworkPolicy default/b spec.selectr: unknown field: did you mean selector? What the policy selects cannot be known: it was left out, and closes nothing",
			},
		},
		{
			name:  "an object without a spec",
			text:  calico + "kind: GlobalNetworkPolicy\nmetadata: {name: a}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0601: GlobalNetworkPolicy a spec: Required value"},
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

func TestLoadCalicoDefaults(t *testing.T) {
	for rules, want := range map[string][]string{
		"":                          {"Ingress"},
		"egress: []":                {"Ingress"},
		"egress: [{action: Allow}]": {"Egress"},
		"egress: [{action: Deny}], ingress: [{action: Allow}]": {"Ingress", "Egress"},
		"types: [Egress], ingress: [{action: Allow}]":          {"Egress"},
	} {
		set, diags := load(t, calico+"kind: NetworkPolicy\nmetadata: {name: a}\nspec: {"+rules+"}\n")
		if len(diags) > 0 || len(set.CalicoNetworkPolicies) != 1 {
			t.Fatalf("%s: %v", rules, diags)
		}
		if diff := cmp.Diff(want, set.CalicoNetworkPolicies[0].Object.Spec.Types); diff != "" {
			t.Errorf("types of %s (-want +got):\n%s", rules, diff)
		}
	}
}

// TestLoadCalicoStoredLabels reads the labels of a set as Calico keeps them.
func TestLoadCalicoStoredLabels(t *testing.T) {
	set, diags := load(t, "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkSet\nmetadata:\n  name: a\n  annotations: {projectcalico.org/metadata: '{\"labels\":{\"kind\":\"bad\"}}'}\nspec: {nets: [10.0.0.0/8]}\n")
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(map[string]string{"kind": "bad"}, set.CalicoGlobalNetworkSets[0].Object.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
