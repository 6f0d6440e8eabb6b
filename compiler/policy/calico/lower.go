package calico

import (
	"slices"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// withPorts are the protocols whose packets have ports.
func withPorts() []ir.Protocol { return []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP} }

// lower makes rules of an alternative: none, one, or two if protocols without ports must
// be told apart.
func (r *rule) lower(m *match) []clause.Rule {
	out := clause.Rule{Action: r.action, Origin: r.origin, NotPeers: m.not}
	if r.action == ir.Log {
		out.Prefix = logPrefix
	}
	if out.AnyPeer = m.area.isEverything(); !out.AnyPeer {
		out.Peers = []*clause.Peer{m.area.peer(r.world)}
	}
	dst, src := &m.ports[destination], &m.ports[source]
	switch {
	case dst.restricted:
		out.Ports = dst.in
	case r.icmp != nil:
		out.Ports = r.icmp
	case r.protocol != 0:
		out.Ports = []ir.PortRange{ir.EveryPort(r.protocol)}
	default:
		out.AnyPort = true
	}
	out.NotPorts = distinct(slices.Concat(r.not, dst.not))
	if !out.AnyPort && len(subtract(out.Ports, out.NotPorts)) == 0 {
		return nil // it matches nothing
	}
	if !src.restricted && len(src.not) == 0 {
		return []clause.Rule{out}
	}
	return r.withSource(out, src)
}

// withSource adds the ports of the source to a rule.
func (r *rule) withSource(out clause.Rule, src *portMatch) []clause.Rule {
	in := src.in
	switch {
	case src.restricted:
	case r.protocol != 0:
		in = []ir.PortRange{ir.EveryPort(r.protocol)}
	default:
		for _, p := range withPorts() {
			in = append(in, ir.EveryPort(p))
		}
	}
	var all []clause.Rule
	if with := out; len(in) > 0 {
		if with.SourcePorts = subtract(in, src.not); len(with.SourcePorts) > 0 {
			all = append(all, with)
		}
	}
	if src.restricted || !out.AnyPort {
		return all
	}
	// Packets without ports have none of the excluded ones.
	for _, p := range withPorts() {
		out.NotPorts = append(out.NotPorts, ir.EveryPort(p))
	}
	out.NotPorts = distinct(out.NotPorts)
	return append(all, out)
}

// subtract returns the ports of the first list that are not in the second one.
func subtract(from, not []ir.PortRange) []ir.PortRange {
	left := slices.Clone(from)
	for _, n := range not {
		var next []ir.PortRange
		for _, f := range left {
			if f.Protocol != n.Protocol || n.Last < f.First || f.Last < n.First {
				next = append(next, f)
				continue
			}
			if f.First < n.First {
				next = append(next, ir.PortRange{Protocol: f.Protocol, First: f.First, Last: n.First - 1})
			}
			if n.Last < f.Last {
				next = append(next, ir.PortRange{Protocol: f.Protocol, First: n.Last + 1, Last: f.Last})
			}
		}
		left = next
	}
	return distinct(left)
}
