package xtpolicy

import (
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// sourceRules lead to the rows of source ports.
func (b *builder) sourceRules(r *row) []string {
	var rules []string
	for _, s := range r.sources {
		rules = append(rules, matchSourcePorts(s.ports)+b.target(s.row))
	}
	return rules
}

// matchSourcePorts returns a match in the notation of iptables-save.
func matchSourcePorts(r ir.PortRange) string {
	proto := r.Protocol.String()
	b := append([]byte(" -p "), proto...)
	if r.Every() {
		return string(b)
	}
	return string(appendPorts(append(append(append(b, " -m "...), proto...), " --sport "...), r))
}

// logRules log packets; they come before the row's verdicts.
func (b *builder) logRules(r *row) []string {
	var rules []string
	for i := range r.logs {
		l := &r.logs[i]
		log := " -j LOG --log-prefix " + quotedPrefix(l.Prefix)
		switch {
		case !l.Every && !holdsReserved(l.Except):
			for _, m := range b.matches(l.Except) {
				rules = append(rules, m+log)
			}
		case l.Every && len(l.Except) == 0:
			rules = append(rules, log)
		default:
			rules = append(rules, " -j "+b.logChain(l, log))
		}
	}
	return rules
}

// logChain returns a chain that logs everything but some packets, or only some.
func (b *builder) logChain(l *resolve.Log, log string) string {
	name := b.names.Of("PLC-LOG-", resolve.LogName(l))
	if b.judged[name] {
		return name
	}
	b.judged[name] = true
	inside, outside := log, accepted
	if l.Every {
		inside, outside = accepted, log
	}
	var rules []string
	plain := func(x ir.PortRange) bool { return !x.Protocol.HasTypes() }
	for _, m := range b.matches(slices.DeleteFunc(slices.Clone(l.Except), func(x ir.PortRange) bool { return !plain(x) })) {
		rules = append(rules, m+inside)
	}
	for _, p := range otherProtocols(l.Except) {
		if p.HasTypes() {
			rules = append(rules, b.protocolRules(only(l.Except, p), p, inside, outside)...)
		}
	}
	if l.Every {
		rules = append(rules, log)
	}
	b.chain(name, rules...)
	return name
}

// holdsReserved reports whether ranges hold type 255 of ICMP, which only a rule about
// every type matches.
func holdsReserved(ranges []ir.PortRange) bool {
	icmp := only(ranges, ir.ICMP)
	return codesIn(icmp, reservedType) > 128 && !icmp[0].Every()
}

// quotedPrefix quotes a prefix as iptables-save does: if it has other characters than
// letters, digits, "-" and "_" (xtables_save_string).
func quotedPrefix(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	}
	if !slices.ContainsFunc([]rune(s), func(c rune) bool { return !plain(c) }) {
		return s
	}
	return `"` + s + `"`
}

// matches returns matches that together are the ranges, of the family's protocols.
func (b *builder) matches(ranges []ir.PortRange) []string {
	var out []string
	for _, p := range ir.Protocols() {
		for _, g := range groups(only(ranges, p)) {
			out = append(out, matchPorts(g))
		}
	}
	for _, p := range otherProtocols(ranges) {
		if !p.HasTypes() {
			out = append(out, b.protocol(p)...)
			continue
		}
		if b.protocol(p) == nil {
			continue
		}
		for _, x := range only(ranges, p) {
			out = append(out, b.types(p, x)...)
		}
	}
	return out
}

// only returns the ranges of one protocol.
func only(ranges []ir.PortRange, p ir.Protocol) []ir.PortRange {
	var out []ir.PortRange
	for _, x := range ranges {
		if x.Protocol == p {
			out = append(out, x)
		}
	}
	return out
}

// otherProtocols returns the protocols without ports in sorted ranges.
func otherProtocols(ranges []ir.PortRange) []ir.Protocol {
	var out []ir.Protocol
	for _, x := range ranges {
		if !x.Protocol.HasPorts() && !slices.Contains(out, x.Protocol) {
			out = append(out, x.Protocol)
		}
	}
	return out
}

// protocol returns the match of a protocol as a whole, or nothing if rules of the
// family cannot have it: the other family's ICMP, which its packets are not of, and
// protocol 0, which is xtables' word for all.
func (b *builder) protocol(p ir.Protocol) []string {
	switch {
	case p == 0, p == ir.ICMP && b.family != ir.IPv4, p == ir.ICMPv6 && b.family != ir.IPv6:
		return nil
	case p == ir.ICMP:
		return []string{" -p icmp"}
	case p == ir.ICMPv6:
		return []string{" -p ipv6-icmp"}
	}
	return []string{" -p " + strconv.Itoa(int(p))}
}

// protocolRules are the rules for a protocol without ports, of which some packets are
// inside the ranges. Type 255 of ICMP is what the protocol is as a whole, because no rule
// matches it alone.
func (b *builder) protocolRules(ranges []ir.PortRange, p ir.Protocol, inside, outside string) []string {
	whole := b.protocol(p)
	if whole == nil {
		return nil
	}
	if !p.HasTypes() || ranges[0].Every() {
		return []string{whole[0] + inside}
	}
	var rules []string
	mostly := typesIn(ranges) > 128
	if p == ir.ICMP {
		mostly = codesIn(ranges, reservedType) > 128
	}
	for t := range uint16(256) {
		rules = append(rules, b.typeRules(p, t, ranges, mostly, inside, outside)...)
	}
	if mostly {
		rules = append(rules, whole[0]+inside)
	}
	return rules
}

// typesIn counts the types that the ranges hold as a whole.
func typesIn(ranges []ir.PortRange) int {
	n := 0
	for t := range uint16(256) {
		if codesIn(ranges, t) == 256 {
			n++
		}
	}
	return n
}

func codesIn(ranges []ir.PortRange, icmpType uint16) int {
	n := 0
	for _, x := range ranges {
		first, last := max(int(x.First), int(icmpType)<<8), min(int(x.Last), int(icmpType)<<8|255)
		n += max(0, last-first+1)
	}
	return n
}

// typeRules are the rules of one type: the codes that differ from most of the type's,
// then the type, unless the protocol as a whole says the same (mostly: that it is inside).
// ICMP's type 255 has none: it would be every type, and is what the protocol is.
func (b *builder) typeRules(p ir.Protocol, t uint16, ranges []ir.PortRange, mostly bool, inside, outside string) []string {
	if p == ir.ICMP && t == reservedType {
		return nil
	}
	codes := codesIn(ranges, t)
	isIn := codes > 128
	few, many := inside, outside
	if isIn {
		few, many = outside, inside
	}
	var rules []string
	if codes != 0 && codes != 256 {
		for c := range uint16(256) {
			held := slices.ContainsFunc(ranges, func(x ir.PortRange) bool { return x.Contains(p, t<<8|c) })
			if held != isIn {
				rules = append(rules, b.typeMatch(p, t)+"/"+strconv.Itoa(int(c))+few)
			}
		}
	}
	if isIn != mostly {
		rules = append(rules, b.typeMatch(p, t)+many)
	}
	return rules
}

// types returns matches for a range of types and codes.
func (b *builder) types(p ir.Protocol, x ir.PortRange) []string {
	if x.Every() {
		return b.protocol(p)
	}
	var out []string
	for t := x.First >> 8; ; t++ {
		if p == ir.ICMP && t == reservedType {
			return out
		}
		if codesIn([]ir.PortRange{x}, t) == 256 {
			out = append(out, b.typeMatch(p, t))
		} else {
			for c := range uint16(256) {
				if x.Contains(p, t<<8|c) {
					out = append(out, b.typeMatch(p, t)+"/"+strconv.Itoa(int(c)))
				}
			}
		}
		if t == x.Last>>8 {
			return out
		}
	}
}

// typeMatch matches a type with all its codes.
func (b *builder) typeMatch(p ir.Protocol, t uint16) string {
	if p == ir.ICMPv6 {
		return " -p ipv6-icmp -m icmp6 --icmpv6-type " + strconv.Itoa(int(t))
	}
	return " -p icmp -m icmp --icmp-type " + strconv.Itoa(int(t))
}

// specialLevels is how much deeper than a plain row's the chains of a row can be: that
// of a source port, and one that logs.
func (b *builder) specialLevels() int {
	for _, r := range b.rows.resolved {
		if !r.plain() {
			return 2
		}
	}
	return 0
}
