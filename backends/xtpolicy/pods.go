package xtpolicy

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// The chains that hooks jump to, and those of a direction.
const (
	forwardChain = "PLC-POLICY"
	inputChain   = "PLC-POLICY-INPUT"
	egressChain  = "PLC-EGRESS"
	ingressChain = "PLC-INGRESS"
)

// known passes what needs no judgement: what belongs to a connection that was
// accepted.
const known = " -m conntrack --ctstate RELATED,ESTABLISHED" + accepted

// profile is a profile with pods of this family.
type profile struct {
	*resolve.Profile
	code uint64
	pods []netip.Addr
}

// policies writes everything.
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
	// An answer to a pod of egress policies, or from one of ingress policies, that
	// belongs to no connection that conntrack knows: it is not judged as if its
	// sender had opened one, by the policies of the other direction.
	noOpener := func(gate *Set, side string) string {
		return " -p tcp -m tcp ! --tcp-flags SYN SYN -m conntrack --ctstate INVALID,NEW" + gate.in(side) + " -m addrtype ! --src-type LOCAL" + b.refuse
	}
	if gate := b.direction(ir.Egress, profiles); gate != nil {
		forward = append(forward[:len(forward):len(forward)], noOpener(gate, "dst"), gate.in("src")+" -j "+egressChain)
		input = append(input[:len(input):len(input)], gate.in("src")+" -g "+egressChain)
		b.rules.Input = inputChain
		b.chain(inputChain, input...)
	}
	if gate := b.direction(ir.Ingress, profiles); gate != nil {
		// From the node itself, whose own addresses others may share.
		forward = append(forward[:len(forward):len(forward)], noOpener(gate, "src"), gate.in("dst")+" -m addrtype ! --src-type LOCAL -g "+ingressChain)
	}
	if len(forward) > len(begin) {
		b.rules.Forward = forwardChain
		b.chain(forwardChain, forward...)
	}
}

func (b *builder) profiles() []profile {
	var out []profile
	for i := range b.tables.Profiles {
		p := profile{Profile: &b.tables.Profiles[i]}
		for _, pod := range p.Pods {
			p.pods = append(p.pods, ir.AddrsOf(b.family, pod.Addresses)...)
		}
		if len(p.pods) > 0 {
			p.code = b.codes.Of(p.ID, nil)
			out = append(out, p)
		}
	}
	return out
}

// direction writes the chain that finds the profile of a pod, and returns the
// set of the pods that it is for; nil where the direction is open to all.
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
	t := trie{builder: b, prefix: "PLC-PODS-", levels: treeLevels - rowLevels - b.portLevels(), identity: []string{d.String()}, test: func(bit int) string {
		return b.podBit(bit, profiles).in(podSide(d))
	}}
	b.chain(name, t.build(leaves)...)
	return gate
}

// podBit is the set of the pods whose profile's code has the bit.
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

// podSide and peerSide are the ends of a packet that a set is asked about.
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

// comment names a profile, quoted as iptables-save does: where it has anything
// but letters, digits, "-" and "_". Profiles have names of harmless characters.
func (b *builder) comment(id string) string {
	if !b.comments {
		return ""
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		default:
			return ` -m comment --comment "` + id + `"`
		}
	}
	return " -m comment --comment " + id
}
