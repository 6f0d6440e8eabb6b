package clusterwide

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Part is the packets about which one rule, or the lack of one, decides.
type Part struct {
	Ports  Ports
	Accept bool
	// Tier is the deciding tier and Rule its rule. Without a rule, the tier's default
	// decided; without a tier nothing did, and the packets are accepted.
	Tier *ir.Tier
	Rule *ir.Rule
}

// Why returns what decides about all packets between a pod and a peer in one direction:
// parts of all ports, in the order of evaluation. NetworkPolicies add to each other, so
// parts that several of their rules accept are in each. The source port is unknown, so
// rules about some source ports decide nothing here.
func (x *Policies) Why(d ir.Direction, pod, peer netip.Addr) []Part {
	var out []Part
	rest := EveryPort()
	tiers := x.Tiers(d, pod)
	for i := range tiers {
		var parts []Part
		parts, rest = x.whyTier(&tiers[i], peer, rest)
		out = append(out, parts...)
	}
	if !rest.Empty() {
		out = append(out, Part{Ports: rest, Accept: true})
	}
	return out
}

// whyTier returns what a tier decides about some packets, and those that it leaves to
// the tiers that follow.
func (x *Policies) whyTier(t *ir.Tier, peer netip.Addr, rest Ports) (out []Part, next Ports) {
	left, accepted := rest, Ports{}
	for i := range t.Rules {
		r := &t.Rules[i]
		action := r.Action
		if action == ir.Redirect {
			action = x.Policy.OnRedirect
		}
		if action == ir.Log || !x.matchesPeer(r, peer) {
			continue
		}
		from := left
		if t.Kind == ir.NetworkTier && action == ir.Accept {
			from = left.Union(accepted)
		}
		part := from.Intersect(rulePorts(r))
		if part.Empty() {
			continue
		}
		left = left.Minus(part)
		switch action {
		case ir.Pass:
			next = next.Union(part)
			continue
		case ir.Accept:
			accepted = accepted.Union(part)
		}
		out = append(out, Part{part, action == ir.Accept, t, r})
	}
	switch {
	case t.Default == ir.Pass:
		next = next.Union(left)
	case !left.Empty():
		out = append(out, Part{left, t.Default == ir.Accept, t, nil})
	}
	return out, next
}

// matchesPeer reports whether a rule is about a peer.
func (x *Policies) matchesPeer(r *ir.Rule, peer netip.Addr) bool {
	in := func(id string) bool {
		s := x.sets[id]
		return s.addresses[peer] || s.set != nil && s.set.InNetworks(peer)
	}
	return (r.AnyPeer || slices.ContainsFunc(r.Peers, in)) && !slices.ContainsFunc(r.NotPeers, in)
}

func rulePorts(r *ir.Rule) Ports {
	out := EveryPort()
	if !r.AnyPort {
		out = rangePorts(r.Ports)
	}
	if len(r.NotPorts) > 0 {
		out = out.Minus(rangePorts(r.NotPorts))
	}
	if len(r.SourcePorts) == 0 {
		return out
	}
	var named []ir.PortRange
	for _, proto := range protocols {
		if inRanges(r.SourcePorts, proto, unknownSource) {
			named = append(named, ir.EveryPort(proto))
		}
	}
	return out.Intersect(rangePorts(named))
}
