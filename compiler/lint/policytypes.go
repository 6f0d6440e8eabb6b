package lint

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// PolicyTypes reports rules of NetworkPolicies in a direction that policyTypes does not
// name: the API server stores them but nothing enforces them.
func PolicyTypes(policies []objects.Sourced[*networkingv1.NetworkPolicy]) diag.List {
	var out diag.List
	for _, p := range policies {
		spec := &p.Object.Spec
		report := func(field string, rules int, t networkingv1.PolicyType) {
			if rules > 0 && !slices.Contains(spec.PolicyTypes, t) {
				at := objects.Origin("NetworkPolicy", p).At("spec." + field)
				out.Add(diag.UnenforcedRules, at, fmt.Sprintf("spec.policyTypes has no %s, so no rule of it (%d) is enforced", t, rules))
			}
		}
		report("ingress", len(spec.Ingress), networkingv1.PolicyTypeIngress)
		report("egress", len(spec.Egress), networkingv1.PolicyTypeEgress)
	}
	out.Sort()
	return out
}
