package cilium_test

import (
	"testing"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/cilium"
)

// TestNames reads names and patterns of all rules of a policy.
func TestNames(t *testing.T) {
	egress := func(list ...ciliumv2.FQDN) *ciliumv2.Rule {
		return &ciliumv2.Rule{Egress: []ciliumv2.EgressRule{{EgressCommon: ciliumv2.EgressCommon{}, ToFQDNs: list}}}
	}
	set := &objects.Set{
		CiliumNetworkPolicies: []objects.Sourced[*ciliumv2.NetworkPolicy]{{Object: &ciliumv2.NetworkPolicy{
			Spec: egress(ciliumv2.FQDN{MatchName: "API.example.com."}), Specs: []*ciliumv2.Rule{nil, egress(ciliumv2.FQDN{MatchPattern: "*.short.example"})},
		}}},
		CiliumClusterwideNetworkPolicies: []objects.Sourced[*ciliumv2.ClusterwideNetworkPolicy]{{Object: &ciliumv2.ClusterwideNetworkPolicy{
			Spec: egress(ciliumv2.FQDN{MatchPattern: "plain.example"}, ciliumv2.FQDN{}, ciliumv2.FQDN{MatchName: string(make([]byte, 1<<20))}),
		}}},
	}
	n := cilium.NamesOf(set)
	for name, want := range map[string]bool{
		"api.example.com": true, "a.short.example": true, "plain.example": true,
		"example.com": false, "b.a.short.example": false, "short.example": false, "apixexample.com": false, "": false,
	} {
		if n.Has(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
