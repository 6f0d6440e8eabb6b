package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// source is a range of source ports that every rule of a table holds as a whole
// or not at all. The zero value stands for all source ports that no rule names.
type source struct {
	ir.PortRange
}

// whole returns the protocols, with all their destination ports, whose source
// ports in the list hold the source.
func (s source) whole(list []ir.PortRange) []ir.PortRange {
	for _, r := range list {
		if r.Protocol == s.Protocol && r.First <= s.First && s.Last <= r.Last {
			return []ir.PortRange{ir.EveryPort(s.Protocol)}
		}
	}
	return nil
}

// sourcesOf cuts the source ports of the rules into sources, sorted.
func sourcesOf(tiers []ir.Tier) []source {
	cuts := make(map[ir.Protocol][]uint32)
	var named []ir.PortRange
	for i := range tiers {
		for j := range tiers[i].Rules {
			for _, p := range tiers[i].Rules[j].SourcePorts {
				named = append(named, p)
				cuts[p.Protocol] = append(cuts[p.Protocol], uint32(p.First), uint32(p.Last)+1)
			}
		}
	}
	if len(named) == 0 {
		return nil
	}
	var out []source
	for proto, at := range cuts {
		slices.Sort(at)
		at = slices.Compact(at)
		for i := range at[:len(at)-1] {
			s := source{ir.PortRange{Protocol: proto, First: uint16(at[i]), Last: uint16(at[i+1] - 1)}}
			if len(s.whole(named)) > 0 {
				out = append(out, s)
			}
		}
	}
	slices.SortFunc(out, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First))
	})
	return out
}
