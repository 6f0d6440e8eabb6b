package xtpolicy

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// The chains that the hooks jump to, and the chains of each direction.
const (
	forwardChain = "PLC-POLICY"
	inputChain   = "PLC-POLICY-INPUT"
	outputChain  = "PLC-POLICY-OUTPUT"
	ownChain     = "PLC-OWN"
	egressChain  = "PLC-EGRESS"
	ingressChain = "PLC-INGRESS"
)

// known accepts packets of accepted connections without further matching.
const known = " -m conntrack --ctstate RELATED,ESTABLISHED" + accepted

// profile is a profile that has pods in this family.
type profile struct {
	*resolve.Profile
	code uint64
	pods []netip.Addr
}

// policies writes all chains and sets.
func (b *builder) policies() {
	profiles := b.profiles()
	begin := []string{known}
	if b.family == ir.IPv6 {
		// Neighbour discovery (RFC 4861).
		for t := 133; t <= 137; t++ {
			begin = append(begin, " -p ipv6-icmp -m icmp6 --icmpv6-type "+strconv.Itoa(t)+accepted)
		}
	}
	forward, input := begin, begin
	// Refuse TCP answers of unknown connections: packets without SYN to a pod with
	// egress policies, or from one with ingress policies. The policies of the other
	// direction would judge them as if their sender had opened the connection.
	noOpener := func(gate *Set, side string) string {
		return " -p tcp -m tcp ! --tcp-flags SYN SYN -m conntrack --ctstate INVALID,NEW" + gate.in(side) + " -m addrtype ! --src-type LOCAL" + b.refuse
	}
	if gate := b.direction(ir.Egress, profiles); gate != nil {
		forward = append(forward[:len(forward):len(forward)], b.denied(ir.Egress, gate, profiles, noOpener)...)
		forward = append(forward, gate.in("src")+" -j "+egressChain)
		input = append(input[:len(input):len(input)], gate.in("src")+b.further(ir.Ingress)+egressChain)
	}
	if gate := b.direction(ir.Ingress, profiles); gate != nil {
		// Traffic from the node itself passes; other hosts may share the node's addresses.
		forward = append(forward[:len(forward):len(forward)], b.denied(ir.Ingress, gate, profiles, noOpener)...)
		forward = append(forward, gate.in("dst")+" -m addrtype ! --src-type LOCAL -g "+ingressChain)
	}
	forward = b.node(begin, forward, input, profiles)
	if len(forward) > len(begin) {
		b.rules.Forward = forwardChain
		b.chain(forwardChain, forward...)
	}
}

// denied returns the rule that refuses answers from or to the pods of a direction to
// which something is denied: all of the gate's, unless some are only there for a log or
// for packets from the own node.
func (b *builder) denied(d ir.Direction, gate *Set, profiles []profile, rule func(*Set, string) string) []string {
	var some []profile
	all := true
	for _, p := range profiles {
		if t := p.Table(d); t != nil && b.tables.Denies(t) {
			some = append(some, p)
		} else {
			all = all && t == nil
		}
	}
	switch {
	case len(some) == 0:
		return nil
	case !all:
		gate = b.set("plc-"+d.String()+"-denied"+b.suffix, addresses)
		for _, p := range some {
			for _, a := range p.pods {
				gate.addAddr(a)
			}
		}
	}
	return []string{rule(gate, peerSide(d))}
}

func (b *builder) profiles() []profile {
	var out []profile
	for i := range b.tables.Profiles {
		p := profile{Profile: &b.tables.Profiles[i]}
		for _, pod := range p.Pods {
			p.pods = append(p.pods, ir.AddrsOf(b.family, pod.Addresses)...)
		}
		if p.Node {
			b.nodeProfile = p.Profile
		}
		if len(p.pods) > 0 {
			p.code = b.codes.Of(p.ID, nil)
			out = append(out, p)
		}
	}
	return out
}

// direction writes the chain that finds a pod's profile. It returns the set of the
// pods with policies in that direction, or nil if there are none.
func (b *builder) direction(d ir.Direction, profiles []profile) *Set {
	name, gateName := egressChain, "plc-egress-pods"+b.suffix
	if d == ir.Ingress {
		name, gateName = ingressChain, "plc-ingress-pods"+b.suffix
	}
	var gate *Set
	var leaves []leaf
	for i := range profiles {
		p := &profiles[i]
		t := p.Table(d)
		if t == nil {
			continue
		}
		gate = b.set(gateName, addresses)
		for _, a := range p.pods {
			gate.addAddr(a)
		}
		leaves = append(leaves, leaf{code: p.code, comment: b.comment(p.ID), target: " -g " + b.judge(d, p.Tiers(d), t)})
	}
	if gate == nil {
		return nil
	}
	t := trie{builder: b, prefix: "PLC-PODS-", levels: treeLevels - rowLevels - b.portLevels() - b.specialLevels(), identity: []string{d.String()}, test: func(bit int) string {
		return b.podBit(bit, profiles).in(podSide(d))
	}}
	b.chain(name, t.build(leaves)...)
	return gate
}

// podBit returns the set of the pods whose profile's code has the bit set.
func (b *builder) podBit(bit int, profiles []profile) *Set {
	name := "plc-pods-bit-" + strconv.Itoa(bit) + b.suffix
	if s := b.sets[name]; s != nil {
		return s
	}
	s := b.set(name, addresses)
	for i := range profiles {
		if profiles[i].code<<bit>>63 == 1 {
			for _, a := range profiles[i].pods {
				s.addAddr(a)
			}
		}
	}
	return s
}

// podSide and peerSide return the side of a packet (src or dst) that a set matches.
func podSide(d ir.Direction) string {
	if d == ir.Ingress {
		return "dst"
	}
	return "src"
}

func peerSide(d ir.Direction) string {
	if d == ir.Ingress {
		return "src"
	}
	return "dst"
}

// comment returns a comment match with the profile's name. It quotes the name as
// iptables-save does: if it has other characters than letters, digits, "-" and "_".
func (b *builder) comment(id string) string {
	if !b.comments {
		return ""
	}
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ` -m comment --comment "` + id + `"`
	}
	return " -m comment --comment " + id
}
