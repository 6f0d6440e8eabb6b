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
	sets     map[string]*members
	names    map[netip.Addr]ir.Peer
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
}

// Judge evaluates the profile of the pod with an address for a packet from
// (ingress) or to (egress) the peer. The second result is false if no pod
// with a profile on this node has the address.
func (e *Evaluator) Judge(d ir.Direction, pod, peer netip.Addr, proto ir.Protocol, port uint16) (Decision, bool) {
	profile := e.policies.profiles[pod]
	if profile == nil {
		return Decision{Accept: true}, false
	}
	tiers := profile.Tiers(d)
	for i := range tiers {
		t := &tiers[i]
		rule := e.policies.firstMatch(t, peer, proto, port)
		action := t.Default
		if rule != nil {
			action = rule.Action
		}
		if action != ir.Pass {
			return Decision{Accept: action == ir.Accept, Tier: t, Rule: rule}, true
		}
	}
	return Decision{Accept: true}, true
}

func (x *policies) firstMatch(t *ir.Tier, peer netip.Addr, proto ir.Protocol, port uint16) *ir.Rule {
	for i := range t.Rules {
		if r := &t.Rules[i]; matchesPort(r, proto, port) && x.matchesPeer(r, peer) {
			return r
		}
	}
	return nil
}

func (x *policies) matchesPeer(r *ir.Rule, peer netip.Addr) bool {
	return r.AnyPeer || slices.ContainsFunc(r.Peers, func(id string) bool { return x.sets[id].contain(peer) })
}

func matchesPort(r *ir.Rule, proto ir.Protocol, port uint16) bool {
	return r.AnyPort || slices.ContainsFunc(r.Ports, func(p ir.PortRange) bool { return p.Contains(proto, port) })
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
		return fmt.Sprintf("%s by rule%s of %s (%s)", verb, name, d.Rule.Origin.Object(), d.Rule.Origin.Path)
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
	p := t.packet
	if p.From == FromNode {
		return true
	}
	if p.Protocol == ir.ICMPv6 && neighbourDiscovery(p.Type) {
		return true
	}
	if p.Midstream && p.Protocol == ir.TCP && !t.opens(dst) {
		return false
	}
	if !t.judge(ir.Egress, p.Src, dst, port) {
		return false
	}
	if t.IsNodeAddress(p.Src) {
		return true
	}
	return t.judge(ir.Ingress, dst, p.Src, port)
}

// neighbourDiscovery matches the ICMPv6 types 133 to 137 (RFC 4861). They
// always pass, because no IPv6 address can be reached without them.
func neighbourDiscovery(icmpType uint8) bool { return icmpType >= 133 && icmpType <= 137 }

func (t *trace) judge(d ir.Direction, pod, peer netip.Addr, port uint16) bool {
	decision, subject := t.Judge(d, pod, peer, t.packet.Protocol, port)
	if !subject || decision.Tier == nil && len(t.policies.profiles[pod].Tiers(d)) == 0 {
		return true
	}
	what := t.packet.Protocol.String()
	if port != 0 {
		what = fmt.Sprintf("%d/%v", port, t.packet.Protocol)
	}
	toward := "to"
	if d == ir.Ingress {
		toward = "from"
	}
	t.step(d.String(), decision.Origin(), "%s %s %s, %s: %v", t.policies.name(pod), toward, t.policies.name(peer), what, decision)
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
