package ipvs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// transport reads a protocol's name.
func (p *ruleParser) transport(name string, negate bool) {
	proto, known := map[string]ir.Protocol{"tcp": ir.TCP, "udp": ir.UDP, "sctp": ir.SCTP, "icmp": ir.ICMP, "ipv6-icmp": ir.ICMPv6}[name]
	if !known || proto == ir.ICMP && p.family != ir.IPv4 || proto == ir.ICMPv6 && p.family != ir.IPv6 {
		p.fail("protocol %q is not known in rules of %v", name, p.family)
	}
	if !negate {
		p.protocol = proto
	}
	p.add(negate, func(w *walk) bool { return w.packet.Protocol == proto })
}

// mostPorts is how many ports multiport lists; a range counts as two.
const mostPorts = 15

// ports reads destination ports, one port or range without multiport.
func (p *ruleParser) ports(module string, negate bool) {
	option, room := "--dport", 2
	if module == "multiport" {
		option, room = "--dports", mostPorts
	} else if module != p.protocol.String() {
		p.fail("-m %s without -p %s", module, module)
	}
	if !slices.Contains(ir.Protocols(), p.protocol) {
		p.fail("ports without a protocol that has some")
	}
	p.want(option)
	var ranges []ir.PortRange
	for _, word := range strings.Split(p.next(), ",") {
		r, n := p.portRange(word)
		if room -= n; room < 0 || module != "multiport" && len(ranges) > 0 {
			p.fail("too many ports")
		}
		ranges = append(ranges, r)
	}
	p.add(negate, func(w *walk) bool {
		return slices.ContainsFunc(ranges, func(r ir.PortRange) bool { return r.First <= w.port && w.port <= r.Last })
	})
}

// portRange reads "80" or "80:90", and says how many ports that counts as.
func (p *ruleParser) portRange(word string) (ir.PortRange, int) {
	low, high, isRange := strings.Cut(word, ":")
	n := 2
	if !isRange {
		high, n = low, 1
	}
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err1 != nil || err2 != nil || first > last {
		p.fail("%q are no ports", word)
	}
	return ir.PortRange{First: uint16(first), Last: uint16(last)}, n
}
