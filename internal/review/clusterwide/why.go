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
// parts that several of their rules accept are in each.
func (x *Policies) Why(d ir.Direction, pod, peer netip.Addr) []Part {
	var out []Part
	rest := EveryPort()
	tiers := x.Tiers(d, pod)
	for i := range tiers {
		t := &tiers[i]
		next := Ports{} // the packets for the tiers that follow
		left := rest
		for j := range t.Rules {
			r := &t.Rules[j]
			if !x.matchesPeer(r, peer) {
				continue
			}
			from := left
			if t.Kind == ir.NetworkTier {
				from = rest
			}
			part := from.Intersect(rulePorts(r))
			if part.Empty() {
				continue
			}
			left = left.Minus(part)
			if r.Action == ir.Pass {
				next = next.Union(part)
				continue
			}
			out = append(out, Part{part, r.Action == ir.Accept, t, r})
		}
		if t.Default == ir.Pass {
			next = next.Union(left)
		} else if !left.Empty() {
			out = append(out, Part{left, t.Default == ir.Accept, t, nil})
		}
		rest = next
	}
	if !rest.Empty() {
		out = append(out, Part{Ports: rest, Accept: true})
	}
	return out
}

func (x *Policies) matchesPeer(r *ir.Rule, peer netip.Addr) bool {
	return r.AnyPeer || slices.ContainsFunc(r.Peers, func(id string) bool {
		s := x.sets[id]
		return s.addresses[peer] || s.set != nil && s.set.InNetworks(peer)
	})
}

func rulePorts(r *ir.Rule) Ports {
	if r.AnyPort {
		return EveryPort()
	}
	var out Ports
	for _, x := range r.Ports {
		var one Ports
		at := slices.Index(protocols[:], x.Protocol)
		one.Spans[at] = []Span{{int(x.First), int(x.Last)}}
		out = out.Union(one)
	}
	return out
}
