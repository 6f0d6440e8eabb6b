package objects

// CiliumConfigName is the name of the ConfigMap with the options of Cilium's agent.
const (
	CiliumConfigNamespace = "kube-system"
	CiliumConfigName      = "cilium-config"
)

// HasCilium reports whether there are objects of Cilium that say something about
// connections.
func (s *Set) HasCilium() bool {
	return len(s.CiliumNetworkPolicies)+len(s.CiliumClusterwideNetworkPolicies)+len(s.CiliumCIDRGroups)+len(s.CiliumConfigs) > 0
}

func (s *Set) appendCilium(other *Set) {
	s.CiliumNetworkPolicies = append(s.CiliumNetworkPolicies, other.CiliumNetworkPolicies...)
	s.CiliumClusterwideNetworkPolicies = append(s.CiliumClusterwideNetworkPolicies, other.CiliumClusterwideNetworkPolicies...)
	s.CiliumCIDRGroups = append(s.CiliumCIDRGroups, other.CiliumCIDRGroups...)
	s.CiliumConfigs = append(s.CiliumConfigs, other.CiliumConfigs...)
}
