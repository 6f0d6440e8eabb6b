package connectivity

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// network is addresses outside that policies do not tell apart.
type network struct {
	pieces []netip.Prefix
	sample netip.Addr
	at     clusterwide.Ends
}

// findOutside cuts the world outside where policies do.
func (m *Map) findOutside(set *objects.Set, cluster *compiler.Cluster, pods []netpath.Pod, door *door) {
	taken := takenAddresses(set, pods)
	if door != nil {
		for _, a := range door.addresses {
			taken[a] = true
		}
	}
	prefixes := families(cluster, pods)
	for _, n := range m.policies.Tables.Networks {
		if slices.ContainsFunc(prefixes[:len(families(cluster, pods))], func(p netip.Prefix) bool { return p.Contains(n.Prefix.Addr()) }) {
			prefixes = append(prefixes, n.Prefix)
		}
	}
	for _, h := range m.policies.Tables.Hosts {
		if !taken[h.Address] {
			prefixes = append(prefixes, netip.PrefixFrom(h.Address, h.Address.BitLen()))
		}
	}
	index := make(map[string]*network)
	for _, c := range clusterwide.Cuts(prefixes...) {
		a, ok := c.Example(taken)
		if !ok {
			continue
		}
		at := clusterwide.Ends{Addresses: map[ir.Family]netip.Addr{ir.FamilyOf(a): a}, Primary: ir.FamilyOf(a)}
		key := m.policies.Signature(&at)
		n := index[key]
		if n == nil {
			n = &network{sample: a, at: at}
			index[key] = n
			m.outside = append(m.outside, n)
		}
		n.pieces = append(n.pieces, c.Pieces...)
	}
}

// families returns all addresses of each family that pods have; without pods, of IPv4.
func families(cluster *compiler.Cluster, pods []netpath.Pod) []netip.Prefix {
	has := make(map[ir.Family]bool)
	for i := range pods {
		for f := range pods[i].Addresses {
			has[f] = true
		}
	}
	for _, p := range cluster.PodCIDRs() {
		has[ir.FamilyOf(p.Addr())] = true
	}
	var out []netip.Prefix
	if has[ir.IPv4] || !has[ir.IPv6] {
		out = append(out, netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	}
	if has[ir.IPv6] {
		out = append(out, netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
	return out
}

// takenAddresses returns the addresses of pods and nodes.
func takenAddresses(set *objects.Set, pods []netpath.Pod) map[netip.Addr]bool {
	taken := make(map[netip.Addr]bool)
	for i := range pods {
		for _, a := range pods[i].Addresses {
			taken[a] = true
		}
	}
	for _, n := range set.Nodes {
		for _, a := range objects.NodeIPs(n.Object, nil) {
			taken[a] = true
		}
	}
	return taken
}
