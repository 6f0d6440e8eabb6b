package objects

// HasCalico reports whether there are objects of Calico that say something about
// connections.
func (s *Set) HasCalico() bool {
	return len(s.CalicoNetworkPolicies)+len(s.CalicoGlobalNetworkPolicies)+len(s.CalicoTiers)+
		len(s.CalicoNetworkSets)+len(s.CalicoGlobalNetworkSets) > 0
}
