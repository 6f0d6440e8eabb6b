package eval

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// policies finds the profile of a pod and the members of an address set.
type policies struct {
	*ir.Policy
	profiles map[netip.Addr]*ir.Profile
	// pods finds the index of a profile by family and address.
	pods space.Table
	// node is the profile of the node itself, or nil.
	node  *ir.Profile
	sets  map[string]*members
	ends  peersOf
	names map[netip.Addr]ir.Peer
	// denying caches whether a direction of a profile denies anything.
	denying *sync.Map
}

// members is an address set with an index of its addresses.
type members struct {
	*ir.AddressSet
	ipv4, ipv6 space.Set
}

func membersOf(s *ir.AddressSet) *members {
	m := &members{AddressSet: s}
	for f, to := range map[ir.Family]*space.Set{ir.IPv4: &m.ipv4, ir.IPv6: &m.ipv6} {
		except := prefixSet(s.Except, f)
		_, networks := prefixSet(s.Prefixes, f).Split(&except)
		*to = join(addressSet(s.Addresses, f), networks)
	}
	return m
}

// in returns the members of a family.
func (m *members) in(ipv6 bool) *space.Set {
	if ipv6 {
		return &m.ipv6
	}
	return &m.ipv4
}

// contain reports whether the set has the address; it has no invalid one.
func (m *members) contain(a netip.Addr) bool {
	return a.IsValid() && m.in(!a.Is4()).Contains(space.Addr(a))
}

func indexPolicies(p *ir.Policy) *policies {
	x := &policies{
		Policy:   p,
		profiles: make(map[netip.Addr]*ir.Profile),
		sets:     make(map[string]*members, len(p.AddressSets)),
		names:    make(map[netip.Addr]ir.Peer, len(p.Peers)),
		denying:  &sync.Map{},
	}
	for i := range p.AddressSets {
		x.sets[p.AddressSets[i].ID] = membersOf(&p.AddressSets[i])
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
				x.pods.Add([]space.Interval{one(space.N(uint64(ir.FamilyOf(a)))), one(space.Addr(a))}, 0, i)
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
	return e.policies.judge(e.policies.profiles[pod], d, q.header(), from(peer))
}

// JudgeOwn is Judge for a packet from the own node to its pod.
func (e *Evaluator) JudgeOwn(pod netip.Addr, q Transport) (Decision, bool) {
	return e.policies.judge(e.policies.profiles[pod], ir.Ingress, q.header(), fromOwnNode())
}

// JudgeNode evaluates the profile of the node itself. The second result is false
// if it has none.
func (e *Evaluator) JudgeNode(d ir.Direction, peer netip.Addr, q Transport) (Decision, bool) {
	return e.policies.judge(e.policies.node, d, q.header(), from(peer))
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
func (x *policies) judge(profile *ir.Profile, d ir.Direction, q *header, peer far) (out Decision, subject bool) {
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
func (x *policies) firstMatch(t *ir.Tier, q *header, peer far, log **ir.Rule) *ir.Rule {
	for i := range t.Rules {
		r := &t.Rules[i]
		if peer.own && !r.OwnNode || !q.matches(r) || !x.matchesPeer(r, peer.in) {
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
