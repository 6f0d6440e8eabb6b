package ir

import (
	"cmp"
	"net/netip"
	"slices"
)

// Normalize brings every slice of the program into its canonical order.
// Programs are sorted nowhere else.
//
// An empty slice becomes nil, so that a program that was written and read
// back equals the original.
func (p *Program) Normalize() {
	p.Node.normalize()
	for i := range p.Frontends {
		order(&p.Frontends[i].SourceRanges, ComparePrefix)
		order(&p.Frontends[i].Lasting, netip.AddrPort.Compare)
	}
	order(&p.Frontends, func(a, b Frontend) int { return cmp.Compare(a.ID, b.ID) })
	for i := range p.Pools {
		p.Pools[i].normalize()
	}
	order(&p.Pools, func(a, b Pool) int { return cmp.Compare(a.ID, b.ID) })
	order(&p.ClusterIPs, netip.Addr.Compare)
	order(&p.Masquerade.Families, cmp.Compare[Family])
	order(&p.Masquerade.Exclude, ComparePrefix)
	order(&p.HealthChecks, func(a, b HealthCheck) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Family, b.Family))
	})
	p.Policy.normalize()
}

// normalize does not reorder tiers and the rules of a tier, because their order
// matters.
func (p *Policy) normalize() {
	for i := range p.AddressSets {
		p.AddressSets[i].Normalize()
	}
	order(&p.AddressSets, func(a, b AddressSet) int { return cmp.Compare(a.ID, b.ID) })
	for i := range p.Profiles {
		p.Profiles[i].Normalize()
	}
	order(&p.Profiles, func(a, b Profile) int { return cmp.Compare(a.ID, b.ID) })
	order(&p.Peers, func(a, b Peer) int { return a.Address.Compare(b.Address) })
}

// Normalize brings the slices of the set into their canonical order, for sets that many
// programs share and that are ordered once.
func (s *AddressSet) Normalize() {
	order(&s.Addresses, netip.Addr.Compare)
	order(&s.Prefixes, ComparePrefix)
	order(&s.Except, ComparePrefix)
	order(&s.Domains, cmp.Compare[string])
}

// Normalize does the same for a profile.
func (p *Profile) Normalize() {
	for j := range p.Pods {
		order(&p.Pods[j].Addresses, netip.Addr.Compare)
	}
	order(&p.Pods, comparePod)
	normalizeTiers(&p.Ingress)
	normalizeTiers(&p.Egress)
}

func normalizeTiers(tiers *[]Tier) {
	for i := range *tiers {
		t := &(*tiers)[i]
		order(&t.Isolating, compareOrigin)
		if len(t.Rules) == 0 {
			t.Rules = nil
		}
		for j := range t.Rules {
			r := &t.Rules[j]
			order(&r.Peers, cmp.Compare[string])
			order(&r.NotPeers, cmp.Compare[string])
			order(&r.Ports, comparePortRange)
			order(&r.NotPorts, comparePortRange)
			order(&r.SourcePorts, comparePortRange)
		}
	}
	if len(*tiers) == 0 {
		*tiers = nil
	}
}

func comparePod(a, b Pod) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func comparePortRange(a, b PortRange) int {
	return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
}

func compareOrigin(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
}

func (n *Node) normalize() {
	order(&n.Addresses, netip.Addr.Compare)
	order(&n.NodePorts.Addresses, netip.Addr.Compare)
	order(&n.NodePorts.Prefixes, ComparePrefix)
	order(&n.Local.CIDRs, ComparePrefix)
	order(&n.ServiceCIDRs, ComparePrefix)
}

func order[T any](s *[]T, compare func(a, b T) int) {
	if len(*s) == 0 {
		*s = nil
		return
	}
	slices.SortFunc(*s, compare)
}

func compareEndpoint(a, b Endpoint) int { return a.Address.Compare(b.Address) }

// normalize looks first, because the compiler makes most pools in order, and endpoints are large.
func (p *Pool) normalize() {
	for i := 1; i < len(p.Endpoints); i++ {
		if p.Endpoints[i-1].Address.Compare(p.Endpoints[i].Address) > 0 {
			order(&p.Endpoints, compareEndpoint)
			return
		}
	}
	if len(p.Endpoints) == 0 {
		p.Endpoints = nil
	}
}

// ComparePrefix orders prefixes by address, then by length.
func ComparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// DisjointPrefixes masks and sorts the prefixes and removes those that
// another one contains, so that every address is in at most one of them.
func DisjointPrefixes(prefixes []netip.Prefix) []netip.Prefix {
	sorted := make([]netip.Prefix, 0, len(prefixes))
	for _, p := range prefixes {
		sorted = append(sorted, p.Masked())
	}
	slices.SortFunc(sorted, ComparePrefix)
	out := sorted[:0]
	for _, p := range sorted {
		if len(out) > 0 && out[len(out)-1].Contains(p.Addr()) && FamilyOf(out[len(out)-1].Addr()) == FamilyOf(p.Addr()) {
			continue
		}
		out = append(out, p)
	}
	return out
}
