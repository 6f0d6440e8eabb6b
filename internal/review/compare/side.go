package compare

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

// side holds the policies of one state for the whole cluster. A node's
// program has only the profiles of its own pods and the sets they need. IDs
// of profiles and sets are derived from content, so those of all nodes can be
// merged.
type side struct {
	state    *State
	pods     []netpath.Pod
	policy   ir.Policy
	tables   *resolve.Policy
	judge    *eval.Evaluator
	profiles map[netip.Addr]int32
	classes  map[netip.Addr]uint32
	// rules holds the rules of each profile as text.
	rules []string
	// ports holds the port set of each row. Equal sets of both sides are the same
	// pointer, so most pairs are compared by pointer.
	ports []*portSet
	// everything and nothing are shared by both sides too.
	everything, nothing *portSet
}

// interned deduplicates port sets.
type interned map[string]*portSet

func (i interned) get(s portSet) *portSet {
	key := fmt.Sprint(s.spans, s.other)
	if i[key] == nil {
		i[key] = &s
	}
	return i[key]
}

func newSide(s *State, u *universe, known interned) *side {
	x := &side{state: s, everything: known.get(everyPort()), nothing: known.get(portSet{}), pods: netpath.Pods(s.Objects), profiles: make(map[netip.Addr]int32), classes: make(map[netip.Addr]uint32)}
	profiles, sets, peers := make(map[string]int), make(map[string]bool), make(map[netip.Addr]bool)
	for _, program := range u.programs(s) {
		p := &program.Policy
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
		x.rules = append(x.rules, rulesText(&x.policy.Profiles[i]))
		for _, pod := range x.policy.Profiles[i].Pods {
			for _, a := range pod.Addresses {
				x.profiles[a] = int32(i) + 1
			}
		}
	}
	return x
}

// class identifies the policies' peers to which an address belongs.
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

// allowed returns the packets that the policies of a pod's direction admit,
// or everything if the address belongs to no pod.
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

// rulesText formats the policies of a profile, independent of where they are written.
func rulesText(p *ir.Profile) string {
	var b strings.Builder
	for _, d := range ir.Directions() {
		fmt.Fprintln(&b, d)
		for _, t := range p.Tiers(d) {
			fmt.Fprintln(&b, t.Kind, t.Default)
			for i := range t.Rules {
				r := &t.Rules[i]
				fmt.Fprintf(&b, "%v %v %q %v %v\n", r.Action, r.AnyPeer, r.Peers, r.AnyPort, r.Ports)
			}
		}
	}
	return b.String()
}

// rulesOf returns the rules for the pod with an address; "" is none.
func (x *side) rulesOf(a netip.Addr) string {
	if profile := x.profiles[a]; profile != 0 {
		return x.rules[profile-1]
	}
	return ""
}

// members maps each address to the sets of pods and nodes that contain it, among
// the sets of both sides, by number.
func members(before, after *side) (was, is map[netip.Addr][]int32) {
	number := make(map[string]int32)
	for i := range before.policy.AddressSets {
		number[before.policy.AddressSets[i].ID] = 0
	}
	n := int32(0)
	for i := range after.policy.AddressSets {
		if id := after.policy.AddressSets[i].ID; has(number, id) {
			n++
			number[id] = n
		}
	}
	collect := func(x *side) map[netip.Addr][]int32 {
		out := make(map[netip.Addr][]int32)
		for i := range x.policy.AddressSets {
			if n := number[x.policy.AddressSets[i].ID]; n != 0 {
				for _, a := range x.policy.AddressSets[i].Addresses {
					out[a] = append(out[a], n)
				}
			}
		}
		return out
	}
	return collect(before), collect(after)
}

func has[K comparable, V any](m map[K]V, key K) bool {
	_, ok := m[key]
	return ok
}
