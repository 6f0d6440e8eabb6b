package clusterwide

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// apart returns the packets of protocols without ports that are in s and not in t, if
// other is false, and otherwise those that are not so.
func apart(s, t Ports, other bool) []ir.PortRange {
	var out []ir.PortRange
	for _, proto := range protocolsOf(s.Apart, t.Apart) {
		edges := edgesOf(proto, s.Apart, t.Apart)
		for i := range edges[1:] {
			first, last := uint16(edges[i]), uint16(edges[i+1]-1)
			if (s.Contains(proto, first) && !t.Contains(proto, first)) == other {
				continue
			}
			if n := len(out); n > 0 && out[n-1].Protocol == proto && int(out[n-1].Last)+1 == int(first) {
				out[n-1].Last = last
				continue
			}
			out = append(out, ir.PortRange{Protocol: proto, First: first, Last: last})
		}
	}
	return out
}

// protocolsOf returns the protocols of ranges, sorted.
func protocolsOf(lists ...[]ir.PortRange) []ir.Protocol {
	var out []ir.Protocol
	for _, r := range slices.Concat(lists...) {
		out = append(out, r.Protocol)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// edgesOf returns where the ranges of a protocol begin, and where what follows them
// begins, from 0 to one more than the last number.
func edgesOf(proto ir.Protocol, lists ...[]ir.PortRange) []int {
	edges := []int{0, LastPort + 1}
	for _, r := range slices.Concat(lists...) {
		if r.Protocol == proto {
			edges = append(edges, int(r.First), int(r.Last)+1)
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

func inRanges(list []ir.PortRange, proto ir.Protocol, port uint16) bool {
	return slices.ContainsFunc(list, func(r ir.PortRange) bool { return r.Contains(proto, port) })
}

// otherExample returns a packet of a protocol without ports that is in the set, an echo
// request or an unknown type of ICMP if there is one.
func (s Ports) otherExample() (ir.Protocol, uint16) {
	for _, port := range []uint16{0, ir.TypeAndCode(8, 0)} {
		if s.Contains(ir.ICMP, port) {
			return ir.ICMP, port
		}
	}
	if !s.Other && len(s.Apart) > 0 {
		return s.Apart[0].Protocol, s.Apart[0].First
	}
	for p := range ir.Protocol(255) {
		if !p.HasPorts() && !p.HasTypes() && s.Contains(p, 0) {
			return p, 0
		}
	}
	return ir.ICMP, 0
}

// otherWords names the protocols without ports that are in the set, which has most.
func (s Ports) otherWords() string {
	const words = "protocols without ports"
	if len(s.Apart) == 0 {
		return words
	}
	var list []string
	for _, x := range s.Apart {
		list = append(list, x.String())
	}
	return words + " but " + Join(list, "and")
}

// joined sorts ranges by protocol and joins those that overlap or touch.
func joined(ranges []ir.PortRange) []ir.PortRange {
	var out []ir.PortRange
	for _, x := range slices.SortedFunc(slices.Values(ranges), func(a, b ir.PortRange) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First))
	}) {
		if n := len(out); n > 0 && out[n-1].Protocol == x.Protocol && int(out[n-1].Last)+1 >= int(x.First) {
			out[n-1].Last = max(out[n-1].Last, x.Last)
			continue
		}
		out = append(out, x)
	}
	return out
}
