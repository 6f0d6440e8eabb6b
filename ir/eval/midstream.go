package eval

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// known handles packets that are not the first of a connection. Connection tracking gives
// those of a known connection the addresses of its first packet, and nothing judges them
// again. Nothing translates packets of no connection: they are dropped where the node
// forwards them, unless the kernel is liberal, and policies judge them as they are.
func (t *trace) known() Result {
	dst := space.Destination.Value()
	switch {
	case !t.packets.Is(space.State, space.N(uint64(Invalid))):
		t.step("conntrack", ir.Origin{}, "the packet is of a known connection")
		return t.end(Pass)
	case t.program.Node.DropInvalid && !t.from(FromNode) && !t.packets.Within(dst, &t.scope.own):
		t.step("conntrack", ir.Origin{}, "the packet is of no connection, and the node would forward it: dropped")
		return t.end(Drop)
	}
	t.step("conntrack", ir.Origin{}, "the packet is of no connection")
	if !t.police(dst, space.Port.Value()) {
		return t.end(t.refusal())
	}
	return t.end(Pass)
}

// opens reports whether a midstream segment may be taken for the first packet of a
// connection. It counts as a reply, and so as no opening, if it comes from a pod
// whose ingress policies deny something or goes to a pod whose egress policies do:
// otherwise only the policies of the other direction would judge it, and a
// connection that has ended or was never accepted would go on.
func (t *trace) opens(dst space.Value) bool {
	src := space.Source.Value()
	if t.packets.Within(src, &t.scope.own) || t.packets.Within(dst, &t.scope.own) {
		return true
	}
	for _, end := range []struct {
		pod       space.Value
		direction ir.Direction
	}{{dst, ir.Egress}, {src, ir.Ingress}} {
		if profile := t.profile(end.pod); profile != nil && t.mayDeny(profile, end.direction) {
			t.step(end.direction.String(), ir.Origin{}, "%s has %v policies, and a TCP segment without SYN opens no connection: denied", t.name(end.pod), end.direction)
			return false
		}
	}
	return true
}

// direction is one direction of a profile.
type direction struct {
	*ir.Profile
	ir.Direction
}

// mayDeny reports whether the tiers deny anything at all. It evaluates every
// address and port where the answer can change, and caches the result.
func (e *Evaluator) mayDeny(p *ir.Profile, d ir.Direction) bool {
	if known, ok := e.policies.denying.Load(direction{p, d}); ok {
		return known.(bool)
	}
	may := len(p.Tiers(d)) > 0 && e.deniesAny(p, d)
	e.policies.denying.Store(direction{p, d}, may)
	return may
}

func (e *Evaluator) deniesAny(p *ir.Profile, d ir.Direction) bool {
	ports := corners(p.Tiers(d))
	for _, peer := range e.policies.peers(p.Tiers(d)) {
		for _, q := range ports {
			if decision, _ := e.policies.judge(p, d, q.header(), from(peer)); !decision.Accept {
				return true
			}
		}
	}
	return false
}

// corners returns the ports where an answer can change: the ends of all ranges
// and their neighbours, with each such source port.
func corners(tiers []ir.Tier) []Transport {
	ports, sources := map[Transport]bool{{Protocol: unnamed}: true}, map[Transport]bool{}
	for _, proto := range append(ir.Protocols(), ir.ICMP, ir.ICMPv6) {
		ports[Transport{Protocol: proto}], ports[Transport{Protocol: proto, Port: 65535}] = true, true
	}
	for _, t := range tiers {
		for _, r := range t.Rules {
			for _, p := range slices.Concat(r.Ports, r.NotPorts) {
				for _, at := range []uint16{p.First - 1, p.First, p.Last, p.Last + 1} {
					ports[Transport{Protocol: p.Protocol, Port: at}] = true
				}
			}
			for _, p := range r.SourcePorts {
				for _, at := range []uint16{p.First - 1, p.First, p.Last, p.Last + 1} {
					sources[Transport{Protocol: p.Protocol, SourcePort: at}] = true
				}
			}
		}
	}
	var out []Transport
	for q := range ports {
		out = append(out, q)
		for from := range sources {
			if from.Protocol == q.Protocol {
				out = append(out, Transport{Protocol: q.Protocol, Port: q.Port, SourcePort: from.SourcePort})
			}
		}
	}
	return out
}

// unnamed stands for the protocols that no rule names (IANA keeps the number for
// experiments).
const unnamed ir.Protocol = 253

// peers returns one address outside of all sets, and the addresses where the
// membership in the rules' sets can change.
func (x *policies) peers(tiers []ir.Tier) []netip.Addr {
	out := []netip.Addr{{}}
	for _, t := range tiers {
		for _, r := range t.Rules {
			for _, id := range r.Sets() {
				s := x.sets[id]
				out = append(out, s.Addresses...)
				for _, p := range append(append([]netip.Prefix(nil), s.Prefixes...), s.Except...) {
					last := ir.LastAddr(p)
					out = append(out, p.Addr(), p.Addr().Prev(), last, last.Next())
				}
			}
		}
	}
	return out
}
