package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
)

// ports are the destination ports of a rule.
type ports struct {
	// any matches every packet, also of protocols without ports.
	any    bool
	ranges []ir.PortRange
	// places are the indexes of a NetworkPolicy's ranges in its rule's ports.
	places []int
	named  []namedPort
}

// namedPort is a port by its name in the destination's containers; protocol
// 0 is any.
type namedPort struct {
	name     string
	protocol ir.Protocol
}

// String returns "http" or "http/tcp".
func (n namedPort) String() string {
	if n.protocol == 0 {
		return n.name
	}
	return n.name + "/" + n.protocol.String()
}

// on returns the ranges of the name on a pod.
func (n namedPort) on(p *pod) []ir.PortRange {
	var out []ir.PortRange
	for _, c := range p.ports[n.name] {
		if n.protocol == 0 || c.protocol == n.protocol {
			out = append(out, ir.PortRange{Protocol: c.protocol, First: c.number, Last: c.number})
		}
	}
	return distinctRanges(out)
}

func distinctRanges(in []ir.PortRange) []ir.PortRange {
	slices.SortFunc(in, func(a, b ir.PortRange) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	return slices.Compact(in)
}

func portsText(ranges []ir.PortRange) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = r.String()
	}
	return strings.Join(words, ",")
}

// everyPort returns all ports of a protocol.
func everyPort(proto ir.Protocol) ir.PortRange {
	return ir.PortRange{Protocol: proto, Last: 65535}
}
