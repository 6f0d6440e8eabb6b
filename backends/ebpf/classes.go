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

// slimPrefixes sorts prefixes and drops those that say nothing: a network that
// is a host too (the host, which comes first, decides), and what has the class
// of the prefix around it.
func slimPrefixes(list []resolve.Network) []resolve.Network {
	slices.SortStableFunc(list, compareNetworks)
	list = slices.CompactFunc(list, func(a, b resolve.Network) bool { return a.Prefix == b.Prefix })
	var around enclosing
	return slices.DeleteFunc(list, func(n resolve.Network) bool { return around.enter(n) == n.Class })
}

func compareNetworks(a, b resolve.Network) int { return ir.ComparePrefix(a.Prefix, b.Prefix) }

// enclosing walks sorted prefixes and knows which ones are around the last.
type enclosing []resolve.Network

// enter returns the class of the longest prefix around n, and goes on into n.
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
