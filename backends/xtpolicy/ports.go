package xtpolicy

import (
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// difference returns the ports that are in exactly one of two lists of ranges. The
// lists and the result are disjoint and sorted.
func difference(a, b []ir.PortRange) []ir.PortRange {
	var out []ir.PortRange
	for _, p := range protocolsIn(a, b) {
		// Membership changes where a range begins or ends; two changes at the same
		// port cancel out.
		var edges []int
		for _, list := range [][]ir.PortRange{a, b} {
			for _, r := range list {
				if r.Protocol == p {
					edges = append(edges, int(r.First), int(r.Last)+1)
				}
			}
		}
		slices.Sort(edges)
		kept := edges[:0]
		for _, e := range edges {
			if n := len(kept); n > 0 && kept[n-1] == e {
				kept = kept[:n-1]
			} else {
				kept = append(kept, e)
			}
		}
		for i := 0; i+1 < len(kept); i += 2 {
			out = append(out, ir.PortRange{Protocol: p, First: uint16(kept[i]), Last: uint16(kept[i+1] - 1)})
		}
	}
	return out
}

// protocolsIn returns the protocols of two lists in the order of a row's ranges.
func protocolsIn(a, b []ir.PortRange) []ir.Protocol {
	return slices.Concat(ir.Protocols(), slices.Compact(slices.Sorted(slices.Values(append(otherProtocols(a), otherProtocols(b)...)))))
}

// mostPorts is the maximum number of ports in one rule (XT_MULTI_PORTS); a range
// counts as two.
const mostPorts = 15

// groups splits the ranges of a protocol into lists that fit into one rule each.
func groups(ranges []ir.PortRange) [][]ir.PortRange {
	var out [][]ir.PortRange
	room := 0
	for _, r := range ranges {
		n := 1
		if r.First != r.Last {
			n = 2
		}
		if room < n {
			out, room = append(out, nil), mostPorts
		}
		room -= n
		out[len(out)-1] = append(out[len(out)-1], r)
	}
	return out
}

// matchPorts returns the match of a group in the notation of iptables-save.
func matchPorts(group []ir.PortRange) string {
	proto := group[0].Protocol.String()
	b := append([]byte(" -p "), proto...)
	switch {
	case len(group) > 1:
		b = append(b, " -m multiport --dports "...)
	case group[0].First == 0 && group[0].Last == 65535:
		return string(b)
	default:
		b = append(append(append(b, " -m "...), proto...), " --dport "...)
	}
	for i, r := range group {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPorts(b, r)
	}
	return string(b)
}

func appendPorts(b []byte, r ir.PortRange) []byte {
	b = strconv.AppendUint(b, uint64(r.First), 10)
	if r.Last != r.First {
		b = strconv.AppendUint(append(b, ':'), uint64(r.Last), 10)
	}
	return b
}
