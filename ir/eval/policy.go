package eval

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/planec/planec/ir"
)

// policies finds the profile of a pod and the members of an address set.
type policies struct {
	*ir.Policy
	profiles map[netip.Addr]*ir.Profile
	// node is the profile of the node itself, or nil.
	node  *ir.Profile
	sets  map[string]*members
	names map[netip.Addr]ir.Peer
	// denying caches whether a direction of a profile denies anything.
	denying *sync.Map
}

// members is an address set with an index of its addresses.
type members struct {
	*ir.AddressSet
	addresses map[netip.Addr]bool
}

func (m *members) contain(a netip.Addr) bool { return m.addresses[a] || m.InNetworks(a) }

func indexPolicies(p *ir.Policy) policies {
	x := policies{
		Policy:   p,
		profiles: make(map[netip.Addr]*ir.Profile),
		sets:     make(map[string]*members, len(p.AddressSets)),
		names:    make(map[netip.Addr]ir.Peer, len(p.Peers)),
		denying:  &sync.Map{},
	}
	for i := range p.AddressSets {
		m := &members{AddressSet: &p.AddressSets[i], addresses: make(map[netip.Addr]bool)}
		for _, a := range m.Addresses {
			m.addresses[a] = true
		}
		x.sets[m.ID] = m
	}
	for _, peer := range p.Peers {
		x.names[peer.Address] = peer
	}
	for i := range p.Profiles {
		profile := &p.Profiles[i]
		if profile.Node {
			x.node = profile
		}
		for _, pod := range profile.Pods {
			for _, a := range pod.Addresses {
				x.profiles[a] = profile
				x.names[a] = ir.Peer{Address: a, Namespace: pod.Namespace, Name: pod.Name}
			}
		}
	}
	return x
}

// Decision is what the tiers of one direction decide about a packet.
type Decision struct {
	Accept bool // whether the packet passes in this direction
	// Tier is the deciding tier and Rule its rule. Without a rule, the tier's
	// default decided; without a tier, nothing did, and the packet is accepted.
	Tier *ir.Tier
	Rule *ir.Rule // the rule that decided, or nil
	// Log is the first Log rule that the packet met before, or nil. The kernel's
	// log gets one line in this direction, with the prefix of this rule.
	Log *ir.Rule
}

// Redirected reports that the packet would go to a proxy if there were one.
func (d Decision) Redirected() bool { return d.Rule != nil && d.Rule.Action == ir.Redirect }

// Judge evaluates the profile of the pod with an address for a packet from
// (ingress) or to (egress) the peer, which is not the own node. The second
// result is false if no pod with a profile on this node has the address.
func (e *Evaluator) Judge(d ir.Direction, pod, peer netip.Addr, q Transport) (Decision, bool) {
	return e.policies.judge(e.policies.profiles[pod], d, q, from(peer))
}

// JudgeOwn is Judge for a packet from the own node to its pod.
func (e *Evaluator) JudgeOwn(pod netip.Addr, q Transport) (Decision, bool) {
	return e.policies.judge(e.policies.profiles[pod], ir.Ingress, q, fromOwnNode())
}

// JudgeNode evaluates the profile of the node itself. The second result is false
// if it has none.
func (e *Evaluator) JudgeNode(d ir.Direction, peer netip.Addr, q Transport) (Decision, bool) {
	return e.policies.judge(e.policies.node, d, q, from(peer))
}

// far is the other end of a packet, as rules see it.
type far struct {
	in  func(*members) bool
	own bool // whether it is the own node, sending to its pod
}

func from(peer netip.Addr) far { return far{in: func(s *members) bool { return s.contain(peer) }} }

func fromOwnNode() far { return far{in: func(s *members) bool { return s.OwnNode }, own: true} }

// judge walks the tiers. Packets from the own node meet the rules and defaults
// that are for it.
func (x *policies) judge(profile *ir.Profile, d ir.Direction, q Transport, peer far) (out Decision, subject bool) {
	out.Accept = true
	if profile == nil {
		return out, false
	}
	tiers := profile.Tiers(d)
	for i := range tiers {
		t := &tiers[i]
		action := t.Default
		if peer.own && !t.OwnNode {
			action = ir.Pass
		}
		rule := x.firstMatch(t, q, peer, &out.Log)
		if rule != nil {
			action = rule.Action
		}
		if action == ir.Redirect {
			action = x.OnRedirect
		}
		if action != ir.Pass {
			out.Accept, out.Tier, out.Rule = action == ir.Accept, t, rule
			return out, true
		}
	}
	return out, true
}

// firstMatch returns the first rule that matches and is no Log rule. It sets log
// to the first Log rule before it, if log is nil.
func (x *policies) firstMatch(t *ir.Tier, q Transport, peer far, log **ir.Rule) *ir.Rule {
	for i := range t.Rules {
		r := &t.Rules[i]
		if peer.own && !r.OwnNode || !matchesPort(r, q) || !x.matchesPeer(r, peer.in) {
			continue
		}
		if r.Action != ir.Log {
			return r
		}
		if *log == nil {
			*log = r
		}
	}
	return nil
}

func (x *policies) matchesPeer(r *ir.Rule, in func(*members) bool) bool {
	listed := func(id string) bool { return in(x.sets[id]) }
	return (r.AnyPeer || slices.ContainsFunc(r.Peers, listed)) && !slices.ContainsFunc(r.NotPeers, listed)
}

func matchesPort(r *ir.Rule, q Transport) bool {
	holds := func(p ir.PortRange) bool { return p.Contains(q.Protocol, q.Port) }
	if !r.AnyPort && !slices.ContainsFunc(r.Ports, holds) || slices.ContainsFunc(r.NotPorts, holds) {
		return false
	}
	return len(r.SourcePorts) == 0 ||
		slices.ContainsFunc(r.SourcePorts, func(p ir.PortRange) bool { return p.Contains(q.Protocol, q.SourcePort) })
}

// String formats a decision: "accepted by NetworkPolicy shop/web rule ...".
func (d Decision) String() string {
	verb := "denied"
	if d.Accept {
		verb = "accepted"
	}
	switch {
	case d.Tier == nil:
		return "accepted: no rule matched"
	case d.Rule != nil:
		name := ""
		if d.Rule.Name != "" {
			name = fmt.Sprintf(" %q", d.Rule.Name)
		}
		text := fmt.Sprintf("%s by rule%s of %s (%s)", verb, name, d.Rule.Origin.Object(), d.Rule.Origin.Path)
		if d.Redirected() {
			text += fmt.Sprintf(", which redirects it to a proxy (%s), and there is none", d.Rule.Payload)
		}
		return text
	}
	names := make([]string, len(d.Tier.Isolating))
	for i, o := range d.Tier.Isolating {
		names[i] = o.Object()
	}
	return fmt.Sprintf("%s: isolated by %s, no rule matched", verb, strings.Join(names, " and "))
}

// Origin is that of the deciding rule, or of the first isolating policy.
func (d Decision) Origin() ir.Origin {
	switch {
	case d.Rule != nil:
		return d.Rule.Origin
	case d.Tier != nil && len(d.Tier.Isolating) > 0:
		return d.Tier.Isolating[0]
	}
	return ir.Origin{}
}

// policeEndpoints applies the policies to every possible endpoint and reports
// whether the packet may reach any.
func (t *trace) policeEndpoints() bool {
	var allowed []Choice
	for _, c := range t.result.Endpoints {
		if t.police(c.Address.Addr(), c.Address.Port()) {
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
func (t *trace) police(dst netip.Addr, port uint16) bool {
	p, q := t.packet, t.packet.Transport(port)
	fromOwn, toOwn := p.From == FromNode || t.IsNodeAddress(p.Src), t.IsNodeAddress(dst)
	switch {
	case fromOwn && toOwn, p.Protocol == ir.ICMPv6 && neighbourDiscovery(p.Type):
		return true
	case p.Midstream && p.Protocol == ir.TCP && p.From != FromNode && !t.opens(dst):
		return false
	}
	if p.From == FromNode {
		if !t.judgeNode(ir.Egress, dst, q) {
			return false
		}
	} else if !t.judge(ir.Egress, p.Src, dst, q) {
		return false
	}
	switch {
	case toOwn:
		return t.judgeNode(ir.Ingress, p.Src, q)
	case fromOwn:
		return t.judgeFar(ir.Ingress, t.policies.profiles[dst], t.policies.name(dst), "the own node", fromOwnNode(), q)
	}
	return t.judge(ir.Ingress, dst, p.Src, q)
}

// neighbourDiscovery matches the ICMPv6 types 133 to 137 (RFC 4861). They
// always pass, because no IPv6 address can be reached without them.
func neighbourDiscovery(icmpType uint8) bool { return icmpType >= 133 && icmpType <= 137 }

func (t *trace) judge(d ir.Direction, pod, peer netip.Addr, q Transport) bool {
	return t.judgeFar(d, t.policies.profiles[pod], t.policies.name(pod), t.policies.name(peer), from(peer), q)
}

func (t *trace) judgeNode(d ir.Direction, peer netip.Addr, q Transport) bool {
	return t.judgeFar(d, t.policies.node, "the node", t.policies.name(peer), from(peer), q)
}

// judgeFar adds the steps of a decision about a subject of policies.
func (t *trace) judgeFar(d ir.Direction, profile *ir.Profile, pod, peer string, end far, q Transport) bool {
	decision, subject := t.policies.judge(profile, d, q, end)
	if !subject || decision.Tier == nil && len(profile.Tiers(d)) == 0 {
		return true
	}
	toward := "to"
	if d == ir.Ingress {
		toward = "from"
	}
	if r := decision.Log; r != nil {
		t.result.Logs = append(t.result.Logs, r.Prefix)
		t.step("log", r.Origin, "%s %s %s, %v: logged with prefix %q by %s (%s)", pod, toward, peer, q, r.Prefix, r.Origin.Object(), r.Origin.Path)
	}
	if decision.Tier != nil || !end.own {
		t.step(d.String(), decision.Origin(), "%s %s %s, %v: %v", pod, toward, peer, q, decision)
	}
	return decision.Accept
}

// name formats an address with its pod or node, if a policy knows it.
func (x *policies) name(a netip.Addr) string {
	if peer, known := x.names[a]; known {
		return fmt.Sprintf("%v (%v)", peer, a)
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
