package eval

import (
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// policeEndpoints applies the policies to every possible endpoint and reports
// whether the packets may reach any.
func (t *trace) policeEndpoints() bool {
	if len(t.policies.Profiles) == 0 {
		return true
	}
	var allowed []Choice
	for _, c := range t.result.Endpoints {
		if t.police(space.Known(space.Addr(c.Address.Addr())), space.Known(space.N(uint64(c.Address.Port())))) {
			allowed = append(allowed, c)
		} else {
			t.result.Denied = append(t.result.Denied, c)
		}
	}
	t.result.Endpoints = allowed
	return len(allowed) > 0
}

// police applies the egress policies of the source and the ingress policies
// of the destination, with the addresses after DNAT.
func (t *trace) police(dst, port space.Value) bool {
	if len(t.policies.Profiles) == 0 {
		return true
	}
	q, fromNode := t.header(port), t.from(FromNode)
	fromOwn, toOwn := fromNode || t.packets.In(space.Source, &t.scope.own), t.packets.Within(dst, &t.scope.own)
	switch {
	case fromOwn && toOwn, t.neighbourDiscovery():
		return true
	case t.midstream() && !fromNode && !t.opens(dst):
		return false
	}
	src := space.Source.Value()
	if fromNode {
		if !t.judgeNode(ir.Egress, dst, q) {
			return false
		}
	} else if !t.judge(ir.Egress, src, dst, q) {
		return false
	}
	switch {
	case toOwn:
		return t.judgeNode(ir.Ingress, src, q)
	case fromOwn:
		return t.decide(question{direction: ir.Ingress, profile: t.profile(dst), pod: dst, header: q, own: true})
	}
	return t.judge(ir.Ingress, dst, src, q)
}

// midstream reports whether the packets are TCP segments of no known connection.
func (t *trace) midstream() bool {
	return t.packets.Is(space.Midstream, space.N(1)) && t.packets.Is(space.Protocol, space.N(uint64(ir.TCP)))
}

// neighbourDiscovery matches the ICMPv6 types 133 to 137 (RFC 4861). They
// always pass, because no IPv6 address can be reached without them.
func (t *trace) neighbourDiscovery() bool {
	types := space.Interval{First: space.N(133 << 8), Last: space.N(137<<8 | 0xff)}
	return t.packets.Is(space.Protocol, space.N(uint64(ir.ICMPv6))) && t.packets.Between(space.Type, types)
}

// profile returns the profile of the pod with an address, or nil.
func (t *trace) profile(pod space.Value) *ir.Profile {
	i, ok := t.policies.pods.Find(t.packets, space.Known(space.N(uint64(t.scope.family))), pod)
	if !ok {
		return nil
	}
	return &t.policies.Profiles[i]
}

// question is what is asked of the policies of one direction.
type question struct {
	direction ir.Direction
	profile   *ir.Profile // of the subject, or nil
	// pod and peer are the addresses of the subject and of the other end. With
	// node, the subject is the node; with own, the other end is the own node.
	pod, peer space.Value
	node, own bool
	header    *header
}

func (t *trace) judge(d ir.Direction, pod, peer space.Value, q *header) bool {
	return t.decide(question{direction: d, profile: t.profile(pod), pod: pod, peer: peer, header: q})
}

func (t *trace) judgeNode(d ir.Direction, peer space.Value, q *header) bool {
	return t.decide(question{direction: d, profile: t.policies.node, node: true, peer: peer, header: q})
}

// decide answers a question, with its steps.
func (t *trace) decide(q question) bool {
	end := fromOwnNode()
	if !q.own {
		end = t.far(&q)
	}
	decision, subject := t.policies.judge(q.profile, q.direction, q.header, end)
	if !subject || decision.Tier == nil && len(q.profile.Tiers(q.direction)) == 0 {
		return true
	}
	if r := decision.Log; r != nil {
		t.result.Logs = append(t.result.Logs, r.Prefix)
	}
	if t.explain {
		t.explainDecision(&q, decision)
	}
	return decision.Accept
}

// far is the other end of packets, at an address.
func (t *trace) far(q *question) far {
	if q.peer.Known || q.profile == nil {
		ipv6 := t.packets.IPv6()
		return far{in: func(s *members) bool { return t.packets.Within(q.peer, s.in(ipv6)) }}
	}
	p := t.policies.ends.of(t.policies, direction{q.profile, q.direction})
	class := -1
	return far{in: func(s *members) bool {
		if class < 0 {
			class, _ = p.table.Find(t.packets, space.Known(space.N(uint64(t.scope.family))), q.peer)
		}
		return p.in[class][s]
	}}
}

// explainDecision adds the steps of a decision.
func (t *trace) explainDecision(q *question, decision Decision) {
	pod, peer, toward := "the node", "the own node", "to"
	if !q.node {
		pod = t.name(q.pod)
	}
	if !q.own {
		peer = t.name(q.peer)
	}
	if q.direction == ir.Ingress {
		toward = "from"
	}
	port := t.shown.Port
	if q.header.port.Known {
		port = uint16(q.header.port.Number.Lo)
	}
	what := t.shown.Transport(port)
	if r := decision.Log; r != nil {
		t.step("log", r.Origin, "%s %s %s, %v: logged with prefix %q by %s (%s)", pod, toward, peer, what, r.Prefix, r.Origin.Object(), r.Origin.Path)
	}
	if decision.Tier != nil || !q.own {
		t.step(q.direction.String(), decision.Origin(), "%s %s %s, %v: %v", pod, toward, peer, what, decision)
	}
}

// name formats an address with its pod or node, if a policy knows it, where a text is
// wanted.
func (t *trace) name(v space.Value) string {
	if !t.explain {
		return ""
	}
	a := t.shown.Dst
	switch {
	case v.Known:
		a = v.Number.Addr(t.packets.IPv6())
	case v.Field == space.Source:
		a = t.shown.Src
	}
	return t.policies.name(a)
}

// name formats an address with its pod or node, if a policy knows it.
func (x *policies) name(a netip.Addr) string {
	if peer, known := x.names[a]; known {
		return peer.String() + " (" + a.String() + ")"
	}
	return a.String()
}

func (t *trace) refusal() Verdict {
	t.result.Endpoints, t.result.Masquerade = nil, false
	if t.policies.OnDeny == ir.Reject {
		return Reject
	}
	return Drop
}
