package iptables

import (
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// The tree divides ports by the leading bits of their keys, because a rule can
// match a range of ports but not their trailing bits. The bit counts at which
// chains branch are fixed.

// usualNodePorts is the number of ports in the default range
// (--service-node-port-range, 30000 to 32767).
const usualNodePorts = 2768

// nodePortCuts returns the bit counts at which the chains of n nodePorts branch.
// The chains cover 16384, 1024 and 256 ports; 64 and 16 follow if the last ones
// would have more than cellRules ports of the usual range.
func nodePortCuts(n int) []int {
	cuts := []int{4, 8, 10, 12, 14}
	switch {
	case n <= listed:
		return nil
	case n <= cellRules*usualNodePorts/256:
		return cuts[:3]
	case n <= cellRules*usualNodePorts/64:
		return cuts[:4]
	}
	return cuts
}

// span is a range of ports of a protocol.
type span struct {
	protocol  ir.Protocol
	low, high int
}

// dispatchPorts writes the named chain for a list of distinct ports, and the
// chains below it, which get their names from nameOf.
func (d *dataplane) dispatchPorts(name string, list []entry, cuts []int, nameOf func(span) string) {
	slices.SortFunc(list, compareEntry)
	d.portNode(name, list, cuts, nameOf)
}

func (d *dataplane) portNode(name string, list []entry, cuts []int, nameOf func(span) string) {
	if len(cuts) == 0 {
		d.tree(name, goTo, leaves(list), nil)
		return
	}
	free := protocolBits + portBits - cuts[0]
	var branches []branch
	for _, part := range groups(list, func(a, b *entry) bool { return a.key>>free == b.key>>free }) {
		low := int(part[0].frontend.Match.Port) >> free << free
		s := span{part[0].frontend.Match.Protocol, low, low + 1<<free - 1}
		b := branch{match: s.appendTo(nil), chain: nameOf(s)}
		d.portNode(b.chain, part, cuts[1:], nameOf)
		branches = append(branches, b)
	}
	d.tree(name, goTo, branches, nil)
}

func (s span) appendTo(b []byte) []byte {
	b = strconv.AppendInt(appendTransport(b, s.protocol), int64(s.low), 10)
	return strconv.AppendInt(append(b, ':'), int64(s.high), 10)
}

// nodePortChain returns the name of the chain for a range of nodePorts.
func nodePortChain(s span) string {
	return "PLC-NP-" + s.protocol.String() + "-" + strconv.Itoa(s.low) + "-" + strconv.Itoa(s.high)
}
