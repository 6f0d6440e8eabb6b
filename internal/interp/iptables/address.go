package iptables

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// address matches a network, or bits at any position of a mask
// ("0.0.0.1/0.0.0.7"). The tools would cut off address bits outside of the mask;
// planec never writes such an address, so it is an error.
func (c *compiler) address(source bool, word string) (match, error) {
	left, right, masked := strings.Cut(word, "/")
	value, err := netip.ParseAddr(left)
	if err != nil {
		return nil, err
	}
	mask, err := netip.ParseAddr(right)
	if err != nil {
		bits := value.BitLen()
		if masked {
			if bits, err = strconv.Atoi(right); err != nil || bits < 0 || bits > value.BitLen() {
				return nil, fmt.Errorf("%q is no network", word)
			}
		}
		mask = ones(value.BitLen(), bits)
	}
	if ir.FamilyOf(value) != c.family || and(value, mask) != value {
		return nil, fmt.Errorf("%q is of another family than %v, or has bits behind its mask", word, c.family)
	}
	m, v := space.Addr(mask), space.Addr(value)
	if i, ok := space.Block(m, v, c.family == ir.IPv6); ok {
		return func(p *Packet) bool { return p.Inside(p.addr(source), i) }, nil
	}
	return func(p *Packet) bool { return p.Covers(p.addr(source), m, v) }, nil
}

// ones returns a mask with length leading ones.
func ones(length, bits int) netip.Addr {
	b := make([]byte, length/8)
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// and returns the masked address, or the invalid address if the families differ.
func and(a, mask netip.Addr) netip.Addr {
	if a.BitLen() != mask.BitLen() {
		return netip.Addr{}
	}
	b, bits := a.As16(), mask.As16()
	for i := range b {
		b[i] &= bits[i]
	}
	if a.Is4() {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

// transport matches a protocol by name or number.
func (c *compiler) transport(m *text.Match) (match, error) {
	name := m.Values[0]
	proto, known := map[string]ir.Protocol{"tcp": ir.TCP, "udp": ir.UDP, "sctp": ir.SCTP, "icmp": ir.ICMP, "ipv6-icmp": ir.ICMPv6}[name]
	if number, err := strconv.ParseUint(name, 10, 8); err == nil && number != 0 {
		proto, known = ir.Protocol(number), true
	} else if number, named := text.ProtocolNumber(name); named {
		proto, known = ir.Protocol(number), true
	}
	if !known || proto == ir.ICMP && c.family != ir.IPv4 || proto == ir.ICMPv6 && c.family != ir.IPv6 {
		return nil, fmt.Errorf("protocol %q is not known in rules of %v", name, c.family)
	}
	if !m.Negated {
		c.protocol = proto
	}
	return func(p *Packet) bool { return p.of(proto) }, nil
}

// hasPorts reports whether the rule is restricted to one protocol with ports.
func (c *compiler) hasPorts() bool { return slices.Contains(ir.Protocols(), c.protocol) }

// mostPorts is the maximum number of ports of multiport; a range counts as two.
const mostPorts = 15

// ports matches destination or source ports: one port or range, or a list with multiport.
func (c *compiler) ports(m *text.Match) (match, error) {
	switch multi := m.Module == "multiport"; {
	case !c.hasPorts() || !multi && m.Module != c.protocol.String():
		return nil, fmt.Errorf("-m %s without its -p", m.Module)
	case !multi && strings.Contains(m.Values[0], ","):
		return nil, fmt.Errorf("several ports without multiport")
	}
	var ranges []space.Interval
	counted := 0
	for _, word := range strings.Split(m.Values[0], ",") {
		low, high, isRange := strings.Cut(word, ":")
		counted++
		if isRange {
			counted++
		} else {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil || first > last {
			return nil, fmt.Errorf("%q are no ports", word)
		}
		ranges = append(ranges, space.Interval{First: space.N(first), Last: space.N(last)})
	}
	if counted > mostPorts {
		return nil, fmt.Errorf("%d ports, at most %d", counted, mostPorts)
	}
	source, set := m.Option == "--sport", space.Of(ranges...)
	return func(p *Packet) bool {
		if source {
			return p.In(space.SourcePort, &set)
		}
		return p.Within(p.port, &set)
	}, nil
}
