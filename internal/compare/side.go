package compare

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

// side is what the policies of one state say of the whole cluster. A node's
// program has the profiles of its own pods only and the sets that they need;
// profiles and sets have IDs made from content, so those of all nodes are put
// together.
type side struct {
	state    *State
	pods     []netpath.Pod
	policy   ir.Policy
	tables   *resolve.Policy
	judge    *eval.Evaluator
	profiles map[netip.Addr]int32
	classes  map[netip.Addr]uint32
	// ports are those of the rows. Equal sets of both sides are one, so that most
	// pairs are compared by looking whether they have the same.
	ports []*portSet
	// everything and nothing are sets of both sides too.
	everything, nothing *portSet
}

// interned holds each set of ports once.
type interned map[string]*portSet

func (i interned) get(s portSet) *portSet {
	key := fmt.Sprint(s.spans, s.other)
	if i[key] == nil {
		i[key] = &s
	}
	return i[key]
}

func newSide(s *State, known interned) *side {
	x := &side{state: s, everything: known.get(everyPort()), nothing: known.get(portSet{}), pods: netpath.Pods(s.Objects), profiles: make(map[netip.Addr]int32), classes: make(map[netip.Addr]uint32)}
	profiles, sets, peers := make(map[string]int), make(map[string]bool), make(map[netip.Addr]bool)
	for _, name := range s.places() {
		p := &s.Network.Program(name).Policy
		for i := range p.Profiles {
			if at, have := profiles[p.Profiles[i].ID]; have {
				into := &x.policy.Profiles[at]
				into.Pods = append(into.Pods[:len(into.Pods):len(into.Pods)], p.Profiles[i].Pods...)
				continue
			}
			profiles[p.Profiles[i].ID] = len(x.policy.Profiles)
			x.policy.Profiles = append(x.policy.Profiles, p.Profiles[i])
			x.policy.OnDeny = p.OnDeny
		}
		for _, set := range p.AddressSets {
			if !sets[set.ID] {
				sets[set.ID] = true
				x.policy.AddressSets = append(x.policy.AddressSets, set)
			}
		}
		for _, peer := range p.Peers {
			if !peers[peer.Address] {
				peers[peer.Address] = true
				x.policy.Peers = append(x.policy.Peers, peer)
			}
		}
	}
	program := ir.Program{Policy: x.policy}
	program.Normalize()
	x.policy = program.Policy
	x.judge, x.tables = eval.New(&program), resolve.New(&x.policy, nil)
	for i := range x.tables.Rows {
		x.ports = append(x.ports, known.get(rowPorts(&x.tables.Rows[i])))
	}
	for i := range x.policy.Profiles {
		for _, pod := range x.policy.Profiles[i].Pods {
			for _, a := range pod.Addresses {
				x.profiles[a] = int32(i) + 1
			}
		}
	}
	return x
}

// class is which policies' peers an address belongs to.
func (x *side) class(a netip.Addr) uint32 {
	if !a.IsValid() {
		return 0
	}
	c, known := x.classes[a]
	if !known {
		c = x.tables.ClassOf(a)
		x.classes[a] = c
	}
	return c
}

// allowed are the packets that the policies of one direction of the pod at an
// address let through; everything where the address is no pod's.
func (x *side) allowed(d ir.Direction, pod, peer netip.Addr) *portSet {
	profile := x.profiles[pod]
	if profile == 0 {
		return x.everything
	}
	t := x.tables.Profiles[profile-1].Table(d)
	if t == nil {
		return x.everything
	}
	return x.ports[t.Row(x.class(peer))]
}
