package eval

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// opens reports whether a midstream segment may be taken for the first packet of a
// connection. It counts as a reply, and so as no opening, if it comes from a pod
// whose ingress policies deny something or goes to a pod whose egress policies do:
// otherwise only the policies of the other direction would judge it, and a
// connection that has ended or was never accepted would go on.
func (t *trace) opens(dst netip.Addr) bool {
	src := t.packet.Src
	if t.IsNodeAddress(src) || t.IsNodeAddress(dst) {
		return true
	}
	for _, end := range []struct {
		pod       netip.Addr
		direction ir.Direction
	}{{dst, ir.Egress}, {src, ir.Ingress}} {
		if profile := t.policies.profiles[end.pod]; profile != nil && t.mayDeny(profile, end.direction) {
			t.step(end.direction.String(), ir.Origin{}, "%s has %v policies, and a TCP segment without SYN opens no connection: denied", t.policies.name(end.pod), end.direction)
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
	pod := p.Pods[0].Addresses[0]
	ports := corners(p.Tiers(d))
	for _, peer := range e.policies.peers(p.Tiers(d)) {
		for _, port := range ports {
			if decision, _ := e.Judge(d, pod, peer, port.Protocol, port.First); !decision.Accept {
				return true
			}
		}
	}
	return false
}

// corners returns the ports where an answer can change: the ends of all ranges
// and their neighbours.
func corners(tiers []ir.Tier) []ir.PortRange {
	var out []ir.PortRange
	for _, proto := range append(ir.Protocols(), ir.ICMP, ir.ICMPv6) {
		out = append(out, ir.PortRange{Protocol: proto}, ir.PortRange{Protocol: proto, First: 65535})
	}
	for _, t := range tiers {
		for _, r := range t.Rules {
			for _, ports := range r.Ports {
				for _, at := range []uint16{ports.First - 1, ports.First, ports.Last, ports.Last + 1} {
					out = append(out, ir.PortRange{Protocol: ports.Protocol, First: at})
				}
			}
		}
	}
	return out
}

// peers returns one address outside of all sets, and the addresses where the
// membership in the rules' sets can change.
func (x *policies) peers(tiers []ir.Tier) []netip.Addr {
	out := []netip.Addr{{}}
	for _, t := range tiers {
		for _, r := range t.Rules {
			for _, id := range r.Peers {
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
