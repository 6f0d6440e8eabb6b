package clusterwide

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// maxPieces bounds the pieces of one network with other networks in it.
const maxPieces = 4096

// Example returns an address of the network that is not taken.
func (c *Cut) Example(taken map[netip.Addr]bool) (netip.Addr, bool) {
	for _, piece := range c.Pieces {
		if a, ok := free(piece, taken); ok {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// Name is for people; "" is the rest of the world.
func (c *Cut) Name() string {
	const most = 2
	if c.Prefix.Bits() == 0 {
		return ""
	}
	if len(c.Pieces) > most {
		return c.Prefix.String() + " apart from networks in it"
	}
	var names []string
	for _, p := range c.Pieces {
		names = append(names, p.String())
	}
	return Join(names, "and")
}

// Cut is a network with its remaining pieces.
type Cut struct {
	Prefix netip.Prefix   // the network
	Pieces []netip.Prefix // what is left of it, sorted and disjoint
}

// Cuts returns networks, each without the others inside it.
func Cuts(prefixes ...netip.Prefix) []Cut {
	slices.SortFunc(prefixes, ir.ComparePrefix)
	prefixes = slices.Compact(prefixes)
	out := make([]Cut, len(prefixes))
	for i, p := range prefixes {
		inner := prefixes[i+1:]
		end := 0
		for end < len(inner) && p.Contains(inner[end].Addr()) {
			end++
		}
		out[i] = Cut{p, subtract(p, inner[:end], nil)}
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

// Fold joins networks to the largest networks that have the same addresses, sorted.
func Fold(networks []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range ir.DisjointPrefixes(networks) {
		for out = append(out, p); len(out) > 1; out = append(out[:len(out)-2], p) {
			low, high := out[len(out)-2], out[len(out)-1]
			if low.Bits() != high.Bits() || low.Bits() == 0 || low.Addr().Is4() != high.Addr().Is4() {
				break
			}
			if p = netip.PrefixFrom(low.Addr(), low.Bits()-1); p.Masked() != p || ir.UpperHalf(p) != high {
				break
			}
		}
	}
	return out
}
