package compare

import (
	"net/netip"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// outsideEntities returns the networks in either state's policies, each without
// the networks inside it, and the rest of the world. Addresses of pods and nodes
// are excluded.
func outsideEntities(before, after *side, u *universe) []*entity {
	taken := make(map[netip.Addr]bool)
	for i := range u.extras {
		for _, a := range u.extras[i].addresses {
			taken[a] = true
		}
	}
	for i := range u.nodes {
		for _, a := range objects.NodeIPs(u.nodes[i].node, nil) {
			taken[a] = true
		}
	}
	for _, x := range []*side{before, after} {
		for i := range x.pods {
			for _, a := range x.pods[i].Addresses {
				taken[a] = true
			}
		}
		for _, n := range x.state.Objects.Nodes {
			for _, a := range objects.NodeIPs(n.Object, nil) {
				taken[a] = true
			}
		}
	}
	var out []*entity
	rest := make(map[string]bool)
	for _, c := range cutNetworks(before, after, taken) {
		a, ok := c.Example(taken)
		if !ok {
			continue
		}
		family := ir.FamilyOf(a)
		e := &entity{role: outsideRole, name: c.Name(), network: c.Prefix, count: 1}
		e.before = clusterwide.Ends{Addresses: map[ir.Family]netip.Addr{family: a}, Primary: family}
		e.after = e.before
		e.class = "outside " + before.Signature(&e.before) + " | " + after.Signature(&e.after)
		if e.name == "" && rest[e.class] {
			continue
		}
		rest[e.class] = true
		out = append(out, e)
	}
	return out
}

func cutNetworks(before, after *side, taken map[netip.Addr]bool) []clusterwide.Cut {
	prefixes := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	for a := range taken {
		if a.Is6() {
			prefixes = append(prefixes, netip.MustParsePrefix("::/0"))
			break
		}
	}
	for _, x := range []*side{before, after} {
		for _, n := range x.Tables.Networks {
			prefixes = append(prefixes, n.Prefix)
		}
		for _, h := range x.Tables.Hosts {
			if p := x.state.Network.Owner(h.Address); !p.Pod && !p.Host && !taken[h.Address] {
				prefixes = append(prefixes, netip.PrefixFrom(h.Address, h.Address.BitLen()))
			}
		}
	}
	return clusterwide.Cuts(prefixes...)
}
