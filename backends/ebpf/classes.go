package ebpf

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// layClasses writes the classes of addresses.
func (b *policyBuilder) layClasses() {
	t := &b.tables[layout.Classes]
	t.grow(len(b.policy.prefixes))
	if b.symbols != nil {
		for i := range b.policy.Classes {
			c := &b.policy.Classes[i]
			b.symbols.sets[c.ID] = c
		}
	}
	for _, n := range b.policy.prefixes {
		key := layout.PrefixKeyOf(layout.ClassSet(n.Prefix.Addr().Is6()), n.Prefix)
		t.data = layout.AppendIndex(key.Append(t.data), n.Class)
		if b.symbols != nil {
			b.symbols.class(key, n)
		}
	}
}

func hostPrefix(h resolve.Host) resolve.Network {
	return resolve.Network{Prefix: netip.PrefixFrom(h.Address, h.Address.BitLen()), Class: h.Class}
}

// slimPrefixes sorts prefixes and removes redundant ones: a network with the
// prefix of a host (the host precedes it and has priority), and a prefix with the
// same class as the surrounding prefix.
func slimPrefixes(list []resolve.Network) []resolve.Network {
	slices.SortStableFunc(list, compareNetworks)
	list = slices.CompactFunc(list, func(a, b resolve.Network) bool { return a.Prefix == b.Prefix })
	var around enclosing
	return slices.DeleteFunc(list, func(n resolve.Network) bool { return around.enter(n) == n.Class })
}

func compareNetworks(a, b resolve.Network) int { return ir.ComparePrefix(a.Prefix, b.Prefix) }

// enclosing is the stack of prefixes around the current one in a walk over sorted ones.
type enclosing []resolve.Network

// enter returns the class of the longest prefix around n, and pushes n.
func (e *enclosing) enter(n resolve.Network) uint32 {
	for len(*e) > 0 && !(*e)[len(*e)-1].Prefix.Contains(n.Prefix.Addr()) {
		*e = (*e)[:len(*e)-1]
	}
	class := uint32(0)
	if len(*e) > 0 {
		class = (*e)[len(*e)-1].Class
	}
	*e = append(*e, n)
	return class
}
