package calico

// The tiers that every cluster of Calico has, with their orders
// (api/pkg/apis/projectcalico/v3/tier.go, libcalico-go/lib/names).
const (
	adminTier    = "kube-admin"    // ClusterNetworkPolicies of tier Admin
	defaultTier  = "default"       // of a policy that names none
	baselineTier = "kube-baseline" // ClusterNetworkPolicies of tier Baseline

	adminOrder    = 1_000
	defaultOrder  = 1_000_000
	baselineOrder = 10_000_000
)

// wellKnownAction is the default action of one of these tiers.
func wellKnownAction(tier string) string {
	if tier == defaultTier {
		return "Deny"
	}
	return "Pass"
}
