package calico

import (
	"cmp"
	"math"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The tiers that every cluster of Calico has, with their orders
// (api/pkg/apis/projectcalico/v3/tier.go, libcalico-go/lib/names).
const (
	adminTier    = "kube-admin"    // ClusterNetworkPolicies of tier Admin
	defaultTier  = "default"       // of a policy that names none
	baselineTier = "kube-baseline" // ClusterNetworkPolicies of tier Baseline

	adminOrder    = clause.AdminOrder
	defaultOrder  = clause.NetworkOrder
	baselineOrder = clause.BaselineOrder
)

// wellKnownAction is the default action of one of these tiers.
func wellKnownAction(tier string) string {
	if tier == defaultTier {
		return "Deny"
	}
	return "Pass"
}

// tier is a tier of the cluster.
type tier struct {
	place clause.TierName
	// passes says that what no rule matches goes on to the next tier.
	passes bool
	order  float64
}

// tiers are the tiers of the cluster by name.
type tiers map[string]tier

// named returns the tier of a policy; "" is the default one.
func (t tiers) named(name string) (tier, bool) {
	out, known := t[cmp.Or(name, defaultTier)]
	return out, known
}

// readTiers reads the tiers. Those that every cluster has are Kubernetes' own, so that
// NetworkPolicies and ClusterNetworkPolicies are among their policies; the default one is
// not where the settings keep NetworkPolicies apart.
func (r *reader) readTiers(set *objects.Set) {
	r.tiers = tiers{
		adminTier:    {place: clause.TierName{Kind: ir.AdminTier}, passes: true},
		defaultTier:  {place: clause.TierName{Kind: ir.NetworkTier}},
		baselineTier: {place: clause.TierName{Kind: ir.BaselineTier}, passes: true},
	}
	if r.separate {
		r.tiers[defaultTier] = tier{place: clause.TierName{Kind: ir.NamedTier, Name: defaultTier}, order: defaultOrder}
	}
	for _, src := range set.CalicoTiers {
		t := src.Object
		if r.refused(diag.RefusedCalico, ValidateTier(t), objects.Origin("Tier", src)) || wellKnownTierOrders[t.Name] != 0 {
			continue
		}
		made := tier{place: clause.TierName{Kind: ir.NamedTier, Name: t.Name}, passes: t.Spec.DefaultAction == "Pass", order: math.Inf(1)}
		if t.Spec.Order != nil {
			made.order = beforeOwn(*t.Spec.Order, t.Name)
		}
		r.tiers[t.Name] = made
	}
}

// beforeOwn returns an order for a tier so that it stands before one of Kubernetes' own
// with the same order if its name comes first, as Calico has it.
func beforeOwn(order float64, name string) float64 {
	for own, same := range wellKnownTierOrders {
		if order == same && name < own {
			return math.Nextafter(order, math.Inf(-1))
		}
	}
	return order
}

// clauses returns the tiers that are not Kubernetes' own, by name.
func (t tiers) clauses() []clause.Tier {
	var out []clause.Tier
	for _, known := range t {
		if known.place.Kind == ir.NamedTier {
			out = append(out, clause.Tier{Name: known.place.Name, Order: known.order})
		}
	}
	slices.SortFunc(out, func(a, b clause.Tier) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
