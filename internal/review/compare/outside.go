package compare

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// maxPieces bounds the pieces of one network with other networks in it.
const maxPieces = 4096

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
		a, ok := c.example(taken)
		if !ok {
			continue
		}
		family := ir.FamilyOf(a)
		e := &entity{role: outsideRole, name: c.name(), network: c.prefix, count: 1}
		e.before = ends{map[ir.Family]netip.Addr{family: a}, family}
		e.after = e.before
		e.class = "outside " + before.signature(&e.before) + " | " + after.signature(&e.after)
		if e.name == "" && rest[e.class] {
			continue
		}
		rest[e.class] = true
		out = append(out, e)
	}
	return out
}

func (c *cut) example(taken map[netip.Addr]bool) (netip.Addr, bool) {
	for _, piece := range c.pieces {
		if a, ok := free(piece, taken); ok {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// name is for people; "" is the rest of the world.
func (c *cut) name() string {
	const most = 2
	if c.prefix.Bits() == 0 {
		return ""
	}
	if len(c.pieces) > most {
		return c.prefix.String() + " apart from networks in it"
	}
	var names []string
	for _, p := range c.pieces {
		names = append(names, p.String())
	}
	return join(names, "and")
}

// cut is a network with its remaining pieces.
type cut struct {
	prefix netip.Prefix
	pieces []netip.Prefix
}

func cutNetworks(before, after *side, taken map[netip.Addr]bool) []cut {
	prefixes := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	for a := range taken {
		if a.Is6() {
			prefixes = append(prefixes, netip.MustParsePrefix("::/0"))
			break
		}
	}
	for _, x := range []*side{before, after} {
		for _, n := range x.tables.Networks {
			prefixes = append(prefixes, n.Prefix)
		}
		for _, h := range x.tables.Hosts {
			if p := x.state.Network.Owner(h.Address); !p.Pod && !p.Host && !taken[h.Address] {
				prefixes = append(prefixes, netip.PrefixFrom(h.Address, h.Address.BitLen()))
			}
		}
	}
	return cuts(prefixes...)
}

// cuts returns networks, each without the others inside it.
func cuts(prefixes ...netip.Prefix) []cut {
	slices.SortFunc(prefixes, ir.ComparePrefix)
	prefixes = slices.Compact(prefixes)
	out := make([]cut, len(prefixes))
	for i, p := range prefixes {
		inner := prefixes[i+1:]
		end := 0
		for end < len(inner) && p.Contains(inner[end].Addr()) {
			end++
		}
		out[i] = cut{p, subtract(p, inner[:end], nil)}
	}
	return out
}

// subtract returns the rest of a network without others, which are sorted and
// inside it.
func subtract(p netip.Prefix, without []netip.Prefix, out []netip.Prefix) []netip.Prefix {
	switch {
	case len(without) == 0 || len(out) >= maxPieces:
		return append(out, p)
	case slices.Contains(without, p):
		return out
	}
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	for _, half := range []netip.Prefix{low, ir.UpperHalf(p)} {
		var inside []netip.Prefix
		for _, w := range without {
			if half.Overlaps(w) {
				inside = append(inside, w)
			}
		}
		out = subtract(half, inside, out)
	}
	return out
}

// free returns an unused address of a network.
func free(p netip.Prefix, taken map[netip.Addr]bool) (netip.Addr, bool) {
	const tries = 1 << 16
	a := p.Addr()
	for range tries {
		if !taken[a] {
			return a, true
		}
		if a = a.Next(); !a.IsValid() || !p.Contains(a) {
			return a, false
		}
	}
	return a, false
}
