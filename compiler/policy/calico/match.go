package calico

import (
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// end is an end of a connection.
type end uint8

const (
	source end = iota
	destination
)

// match is one alternative of a rule.
type match struct {
	area  area           // where the other end is
	not   []*clause.Peer // where it is not
	ports [2]portMatch   // by end
}

// portMatch is the ports of one end.
type portMatch struct {
	restricted bool // only those in the list match
	in, not    []ir.PortRange
}

// clone returns a copy whose ports and sets can be changed.
func (m *match) clone() match {
	out := *m
	out.not = slices.Clone(m.not)
	return out
}

// require leaves only these ports.
func (m *match) require(at end, ports []ir.PortRange) {
	m.ports[at].restricted, m.ports[at].in = true, ports
}

// exclude takes ports away.
func (m *match) exclude(at end, ports []ir.PortRange) {
	m.ports[at].not = slices.Concat(m.ports[at].not, ports)
}

// ownPorts adds the ports of the pod's own side.
func (r *rule) ownPorts(all []match, at end, p *clause.Pod) []match {
	s := &r.own
	var named, notNamed []ir.PortRange
	if p != nil {
		named = s.ownNumbers(r.world, p, s.ports.named, r.protocol)
		notNamed = s.ownNumbers(r.world, p, s.ports.notNamed, r.protocol)
	}
	for i := range all {
		m := &all[i]
		if !s.ports.any {
			m.require(at, slices.Concat(s.ports.numeric, named))
		}
		m.exclude(at, slices.Concat(s.ports.not, notNamed))
	}
	return all
}

// peerPorts adds the ports of the other end. A named port is another number on each pod,
// so each number is an alternative.
func (r *rule) peerPorts(all []match, at end) []match {
	s := &r.peer
	if s.ports.any {
		return all
	}
	var out []match
	for _, m := range all {
		if len(s.ports.numeric) > 0 {
			n := m.clone()
			n.require(at, s.ports.numeric)
			out = append(out, n)
		}
		if len(s.ports.named) == 0 {
			continue
		}
		for _, g := range r.world.portGroups(s.selector, s.ports.named, r.protocol) {
			n := m.clone()
			n.area.groups = &podGroups{g.pods, g.text}
			n.require(at, g.numbers)
			out = append(out, n)
		}
	}
	return out
}

// peerNotPorts excludes ports of the other end. Pods that have a named port are
// alternatives of their own.
func (r *rule) peerNotPorts(all []match, at end) []match {
	s := &r.peer
	for i := range all {
		all[i].exclude(at, s.ports.not)
	}
	if len(s.ports.notNamed) == 0 {
		return all
	}
	groups := r.world.portGroups(s.selector, s.ports.notNamed, r.protocol)
	having := area{selector: s.selector, groups: &podGroups{text: namesText(s.ports.notNamed, r.protocol)}}
	for _, g := range groups {
		having.groups.pods = append(having.groups.pods, g.pods...)
	}
	var out []match
	for _, m := range all {
		for _, g := range groups {
			n := m.clone()
			if n.area.groups = n.area.groups.and(&podGroups{g.pods, g.text}); len(n.area.groups.pods) > 0 {
				n.exclude(at, g.numbers)
				out = append(out, n)
			}
		}
		rest := m.clone()
		if len(groups) > 0 {
			rest.not = append(rest.not, having.peer(r.world))
		}
		out = append(out, rest)
	}
	return out
}

// namesText tells apart the pods that have a port of one of the names.
func namesText(names []string, of ir.Protocol) string {
	text := "any of " + strings.Join(names, ",")
	if of != 0 {
		text += "/" + of.String()
	}
	return text
}

// sourceCost is how many other alternatives one by a source port counts as: rules that
// tell peers by their source ports cannot share what they have in common.
const sourceCost = 512

// alternatives is at least how many rules stand for this one.
func (r *rule) alternatives() int {
	s := &r.peer.ports
	if r.direction == ir.Ingress && len(s.named)+len(s.notNamed) > 0 {
		return sourceCost * len(r.world.portGroups(nil, slices.Concat(s.named, s.notNamed), 0))
	}
	count := func(names []string) int { return len(r.world.portGroups(nil, names, 0)) }
	out := 1
	if len(s.named) > 0 {
		out += count(s.named)
	}
	if len(s.notNamed) > 0 {
		out *= 1 + count(s.notNamed)
	}
	return out
}

// and returns the pods that both have; nil is every pod.
func (g *podGroups) and(with *podGroups) *podGroups {
	if g == nil {
		return with
	}
	have := make(map[*clause.Pod]bool, len(with.pods))
	for _, p := range with.pods {
		have[p] = true
	}
	out := &podGroups{text: g.text + " and " + with.text}
	for _, p := range g.pods {
		if have[p] {
			out.pods = append(out.pods, p)
		}
	}
	return out
}
