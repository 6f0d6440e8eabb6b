package clusterwide

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

// Policies holds the policies of the whole cluster. It is not safe for concurrent use.
type Policies struct {
	Policy ir.Policy       // the profiles and sets of all programs
	Tables *resolve.Policy // the same, with a verdict for every class and port
	// Everything and Nothing are the sets of all packets and of none, so that most
	// answers are compared as pointers.
	Everything, Nothing *Ports

	judge    *eval.Evaluator
	profiles map[netip.Addr]int32
	classes  map[netip.Addr]uint32
	// ports holds the port set of each row.
	ports []*Ports
	sets  map[string]members
}

// members is an address set with an index of its addresses.
type members struct {
	set       *ir.AddressSet
	addresses map[netip.Addr]bool
}

// Interned deduplicates port sets: equal sets are one pointer.
type Interned map[string]*Ports

// Get returns the pointer of a set.
func (i Interned) Get(s Ports) *Ports {
	key := fmt.Sprint(s.Spans, s.Other, s.Apart)
	if i[key] == nil {
		i[key] = &s
	}
	return i[key]
}

// Shared remembers which ports two sets share.
type Shared map[[2]*Ports]*Ports

// Of returns the ports that both sets have; everything is the set of all ports. Known has the
// sets, and gets the result.
func (s Shared) Of(known Interned, everything, a, b *Ports) *Ports {
	switch {
	case a == everything || a == b:
		return b
	case b == everything:
		return a
	}
	key := [2]*Ports{a, b}
	out := s[key]
	if out == nil {
		out = known.Get(a.Intersect(*b))
		s[key] = out
	}
	return out
}

// New puts the policies of programs together, each of one node.
func New(programs []*ir.Program, known Interned) *Policies {
	x := &Policies{
		Everything: known.Get(EveryPort()), Nothing: known.Get(Ports{}),
		profiles: make(map[netip.Addr]int32), classes: make(map[netip.Addr]uint32), sets: make(map[string]members),
	}
	program := ir.Program{Policy: merge(programs)}
	program.Normalize()
	x.Policy = program.Policy
	x.judge, x.Tables = eval.New(&program), resolve.New(&x.Policy, nil)
	for i := range x.Tables.Rows {
		x.ports = append(x.ports, known.Get(tablePorts(x.Tables, i)))
	}
	for i := range x.Policy.AddressSets {
		m := members{set: &x.Policy.AddressSets[i], addresses: make(map[netip.Addr]bool)}
		for _, a := range m.set.Addresses {
			m.addresses[a] = true
		}
		x.sets[m.set.ID] = m
	}
	for i := range x.Policy.Profiles {
		for _, pod := range x.Policy.Profiles[i].Pods {
			for _, a := range pod.Addresses {
				x.profiles[a] = int32(i) + 1
			}
		}
	}
	return x
}

// merge puts the profiles, sets and names of programs together, each once. Profiles of one
// ID are one, unless their rules name other sets: those of the own node are each node's own.
func merge(programs []*ir.Program) (out ir.Policy) {
	profiles, sets, peers := make(map[string][]int), make(map[string]bool), make(map[netip.Addr]bool)
	for _, program := range programs {
		p := &program.Policy
		for i := range p.Profiles {
			if p.Profiles[i].Node {
				continue // each node has its own, and it is about no pod
			}
			profile := p.Profiles[i]
			alike := slices.IndexFunc(profiles[profile.ID], func(at int) bool { return sameSets(&out.Profiles[at], &profile) })
			if alike >= 0 {
				into := &out.Profiles[profiles[profile.ID][alike]]
				into.Pods = append(into.Pods[:len(into.Pods):len(into.Pods)], profile.Pods...)
				continue
			}
			others := len(profiles[profile.ID])
			profiles[profile.ID] = append(profiles[profile.ID], len(out.Profiles))
			if others > 0 {
				profile.ID = fmt.Sprintf("%s-%d", profile.ID, others+1)
			}
			out.Profiles = append(out.Profiles, profile)
			out.OnDeny, out.OnRedirect = p.OnDeny, cmp.Or(out.OnRedirect, p.OnRedirect)
		}
		for _, set := range p.AddressSets {
			if !sets[set.ID] {
				sets[set.ID] = true
				out.AddressSets = append(out.AddressSets, set)
			}
		}
		for _, peer := range p.Peers {
			if !peers[peer.Address] {
				peers[peer.Address] = true
				out.Peers = append(out.Peers, peer)
			}
		}
	}
	return out
}

// sameSets reports whether the rules of two profiles name the same sets.
func sameSets(a, b *ir.Profile) bool {
	rules := func(x, y ir.Rule) bool {
		return slices.Equal(x.Peers, y.Peers) && slices.Equal(x.NotPeers, y.NotPeers)
	}
	tiers := func(x, y ir.Tier) bool { return slices.EqualFunc(x.Rules, y.Rules, rules) }
	return slices.EqualFunc(a.Ingress, b.Ingress, tiers) && slices.EqualFunc(a.Egress, b.Egress, tiers)
}

// Class identifies the policies' peers to which an address belongs.
func (x *Policies) Class(a netip.Addr) uint32 {
	if !a.IsValid() {
		return 0
	}
	c, known := x.classes[a]
	if !known {
		c = x.Tables.ClassOf(a)
		x.classes[a] = c
	}
	return c
}

// ProfileAt returns the index in [Policies.Policy] of the profile of the pod with an
// address, or -1.
func (x *Policies) ProfileAt(pod netip.Addr) int { return int(x.profiles[pod]) - 1 }

// Limits reports whether policies limit one direction of the pod with an address.
func (x *Policies) Limits(d ir.Direction, pod netip.Addr) bool {
	at := x.ProfileAt(pod)
	return at >= 0 && x.Tables.Profiles[at].Table(d) != nil
}

// Tiers returns the policies of one direction of the pod with an address.
func (x *Policies) Tiers(d ir.Direction, pod netip.Addr) []ir.Tier {
	at := x.ProfileAt(pod)
	if at < 0 {
		return nil
	}
	return x.Policy.Profiles[at].Tiers(d)
}

// Allowed returns the packets that the policies of a pod's direction admit,
// or everything if the address belongs to no pod.
func (x *Policies) Allowed(d ir.Direction, pod, peer netip.Addr) *Ports {
	if !x.Limits(d, pod) {
		return x.Everything
	}
	return x.ports[x.Tables.Profiles[x.ProfileAt(pod)].Table(d).Row(x.Class(peer))]
}

// Decide returns what decides about one packet.
func (x *Policies) Decide(d ir.Direction, pod, peer netip.Addr, q eval.Transport) eval.Decision {
	decision, _ := x.judge.Judge(d, pod, peer, q)
	return decision
}
