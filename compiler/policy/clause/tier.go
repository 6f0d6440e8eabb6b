package clause

import "github.com/planec/planec/ir"

// TierName names a tier.
type TierName struct {
	Kind ir.TierKind
	Name string // of a tier of kind ir.NamedTier, or ""
}

// Tier is a tier that a dialect has besides Kubernetes' own.
type Tier struct {
	Name string
	// Order is its place: smaller ones come first, and equal ones by name. Those of
	// Kubernetes have the orders AdminOrder, NetworkOrder and BaselineOrder.
	Order float64
}

// The places of Kubernetes' own tiers, which are those that Calico gives them
// (its tiers kube-admin, default and kube-baseline).
const (
	AdminOrder    = 1_000
	NetworkOrder  = 1_000_000
	BaselineOrder = 10_000_000
)
