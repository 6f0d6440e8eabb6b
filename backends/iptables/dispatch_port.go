package iptables

import (
	"fmt"
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

// dispatchPorts writes the chain of that name over a list of different ports, and
// those below, which nameOf names.
func (d *dataplane) dispatchPorts(name string, list []entry, cuts []int, nameOf func(ir.PortRange) string) {
	slices.SortFunc(list, compareEntry)
	d.portNode(name, list, cuts, nameOf)
}

func (d *dataplane) portNode(name string, list []entry, cuts []int, nameOf func(ir.PortRange) string) {
	if len(cuts) == 0 {
		d.tree(name, goTo, leaves(list), nil)
		return
	}
	free := protocolBits + portBits - cuts[0]
	var branches []branch
	for _, part := range groups(list, func(a, b *entry) bool { return a.key>>free == b.key>>free }) {
		m := part[0].frontend.Match
		first := m.Port >> free << free
		r := ir.PortRange{Protocol: m.Protocol, First: first, Last: first + 1<<free - 1}
		b := branch{match: appendPorts(nil, r), chain: nameOf(r)}
		d.portNode(b.chain, part, cuts[1:], nameOf)
		branches = append(branches, b)
	}
	d.tree(name, goTo, branches, nil)
}

func appendPorts(b []byte, r ir.PortRange) []byte {
	b = strconv.AppendUint(appendTransport(b, r.Protocol), uint64(r.First), 10)
	return strconv.AppendUint(append(b, ':'), uint64(r.Last), 10)
}

// nodePortChain names the chain of a range of nodePorts.
func nodePortChain(r ir.PortRange) string {
	return fmt.Sprintf("PLC-NP-%v-%d-%d", r.Protocol, r.First, r.Last)
}
