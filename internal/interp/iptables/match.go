package iptables

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// match is one condition of a rule.
type match func(m *machine) bool

func not(m match) match { return func(x *machine) bool { return !m(x) } }

// parseMatches reads the conditions and the target of a rule.
func (p *parser) parseRule(r *reader) *rule {
	out := &rule{}
	var module string
	for !r.done() {
		negate := r.accept("!")
		word := r.next()
		var m match
		switch word {
		case "-m", "--match":
			module = r.next()
			p.knownModule(r, module)
			continue
		case "-j", "--jump", "-g", "--goto":
			out.target = p.parseTarget(r, word == "-g" || word == "--goto")
			continue
		case "-s", "--source":
			m = addressMatch(r, true)
		case "-d", "--destination":
			m = addressMatch(r, false)
		case "-i", "--in-interface":
			m = interfaceMatch(r.next())
		case "-p", "--protocol":
			m = protocolMatch(r)
		default:
			m = p.option(r, module, word)
		}
		if m == nil {
			continue
		}
		if negate {
			m = not(m)
		}
		out.matches = append(out.matches, m)
	}
	return out
}

func (p *parser) knownModule(r *reader, name string) {
	switch name {
	case "comment", "conntrack", "addrtype", "set", "statistic", "mark", "tcp", "udp", "sctp", "icmp6", "multiport", "recent":
	default:
		r.fail("unknown match -m %s", name)
	}
}

// option reads an option of a match; nil is one without a condition.
func (p *parser) option(r *reader, module, word string) match {
	switch word {
	case "--comment":
		r.next()
		return nil
	case "--ctstate":
		return stateMatch(r)
	case "--tcp-flags":
		if mask, set := r.next(), r.next(); mask != "SYN" || set != "SYN" {
			r.fail("TCP flags %s %s", mask, set)
		}
		return func(m *machine) bool { return m.packet.Protocol == ir.TCP && !m.packet.Midstream }
	case "--src-type", "--dst-type":
		if t := r.next(); t != "LOCAL" {
			r.fail("address type %s", t)
		}
		source := word == "--src-type"
		return func(m *machine) bool { return m.interp.isLocal(m.addr(source)) }
	case "--match-set":
		return p.setMatch(r)
	case "--mode":
		if mode := r.next(); mode != "random" {
			r.fail("statistic mode %s", mode)
		}
		return nil
	case "--probability":
		return probability(r)
	case "--mark":
		value, mask := markAndMask(r)
		return func(m *machine) bool { return m.mark&mask == value }
	case "--dport", "--destination-port":
		return portMatch(r, 1)
	case "--dports":
		if module != "multiport" {
			r.fail("%s of -m %s", word, module)
		}
		return portMatch(r, mostPorts)
	case "--icmpv6-type":
		kind := uint8(r.number(8))
		return func(m *machine) bool { return m.packet.Protocol == ir.ICMPv6 && m.packet.Type == kind }
	}
	r.fail("unknown option %s of -m %s", word, module)
	return nil
}

func addressMatch(r *reader, source bool) match {
	word := r.next()
	if value, mask, ok := valueAndMask(word); ok {
		return func(m *machine) bool { return masked(m.addr(source), mask) == value }
	}
	prefix, err := parsePrefix(word)
	if err != nil {
		r.fail("address: %v", err)
	}
	return func(m *machine) bool { return prefix.Contains(m.addr(source)) }
}

// valueAndMask reads an address with a mask that is one too, which may have its
// bits anywhere ("0.0.0.1/0.0.0.7").
func valueAndMask(s string) (value, mask netip.Addr, ok bool) {
	left, right, _ := strings.Cut(s, "/")
	value, err := netip.ParseAddr(left)
	if err != nil {
		return value, mask, false
	}
	mask, err = netip.ParseAddr(right)
	return masked(value, mask), mask, err == nil && value.BitLen() == mask.BitLen()
}

// masked is what a mask leaves of an address of its family, and of others the
// invalid address.
func masked(a, mask netip.Addr) netip.Addr {
	if a.BitLen() != mask.BitLen() {
		return netip.Addr{}
	}
	b, bits := a.AsSlice(), mask.AsSlice()
	for i := range b {
		b[i] &= bits[i]
	}
	out, _ := netip.AddrFromSlice(b)
	return out
}

func interfaceMatch(name string) match {
	prefix, any := strings.CutSuffix(name, "+")
	if any {
		return func(m *machine) bool {
			return m.hook != "OUTPUT" && m.packet.Interface != "" && strings.HasPrefix(m.packet.Interface, prefix)
		}
	}
	return func(m *machine) bool { return m.packet.Interface == name }
}

func protocolMatch(r *reader) match {
	name := r.next()
	proto, known := map[string]ir.Protocol{"icmp": ir.ICMP, "ipv6-icmp": ir.ICMPv6}[name]
	if !known {
		var err error
		if proto, err = ir.ParseProtocol(name); err != nil {
			r.fail("%v", err)
		}
	}
	return func(m *machine) bool { return m.packet.Protocol == proto }
}

// stateMatch: the packet is new, and may have been given an endpoint.
func stateMatch(r *reader) match {
	states := strings.Split(r.next(), ",")
	for _, s := range states {
		switch s {
		case "NEW", "INVALID", "RELATED", "ESTABLISHED", "DNAT", "SNAT":
		default:
			r.fail("state %s", s)
		}
	}
	return func(m *machine) bool {
		for _, s := range states {
			if s == "NEW" || (s == "DNAT" && m.dnated) {
				return true
			}
		}
		return false
	}
}

func (p *parser) setMatch(r *reader) match {
	s, directions := p.setReference(r)
	if s == nil {
		return nil
	}
	return func(m *machine) bool { return s.contains(m, directions) }
}

// setReference reads "NAME src,dst".
func (p *parser) setReference(r *reader) (*set, []string) {
	name := r.next()
	directions := strings.Split(r.next(), ",")
	s := p.sets[name]
	if s == nil {
		r.fail("no set %q", name)
		return nil, nil
	}
	if len(directions) != len(s.parts) {
		r.fail("set %s: %d directions, want %d", name, len(directions), len(s.parts))
		return nil, nil
	}
	return s, directions
}

// probability tries both sides of the die; 1 is certain.
func probability(r *reader) match {
	f, err := strconv.ParseFloat(r.next(), 64)
	if err != nil || f < 0 || f > 1 {
		r.fail("probability: %v", err)
	}
	if f == 1 {
		return func(*machine) bool { return true }
	}
	return func(m *machine) bool { return m.draws.Random(2) == 0 }
}

func markAndMask(r *reader) (value, mask uint32) {
	v, k, ok := strings.Cut(r.next(), "/")
	if !ok {
		k = "0xffffffff"
	}
	a, err1 := strconv.ParseUint(v, 0, 32)
	b, err2 := strconv.ParseUint(k, 0, 32)
	if err1 != nil || err2 != nil {
		r.fail("mark %s/%s", v, k)
	}
	return uint32(a), uint32(b)
}

// mostPorts is how many ports multiport lists; a range counts as two.
const mostPorts = 15

// portMatch asks for a destination port, which only some protocols have.
func portMatch(r *reader, most int) match {
	var ports [][2]uint16
	counted := 0
	for _, part := range strings.Split(r.next(), ",") {
		low, high, isRange := strings.Cut(part, ":")
		if !isRange {
			high = low
		}
		a, err1 := strconv.ParseUint(low, 10, 16)
		b, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil || a > b {
			r.fail("port %q", part)
		}
		if counted++; isRange && most > 1 {
			counted++
		}
		ports = append(ports, [2]uint16{uint16(a), uint16(b)})
	}
	if counted > most {
		r.fail("%d ports, at most %d", counted, most)
	}
	return func(m *machine) bool {
		if !slices.Contains(ir.Protocols(), m.packet.Protocol) {
			return false
		}
		for _, p := range ports {
			if m.port >= p[0] && m.port <= p[1] {
				return true
			}
		}
		return false
	}
}

// addr is the packet's source or, as it is now, its destination.
func (m *machine) addr(source bool) netip.Addr {
	if source {
		return m.packet.Src
	}
	return m.dst
}
