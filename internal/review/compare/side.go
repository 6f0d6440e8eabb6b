package compare

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// side holds the policies of one state for the whole cluster. Equal port sets of both
// sides are the same pointer.
type side struct {
	*clusterwide.Policies
	state *State
	pods  []netpath.Pod
	// rules holds the rules of each profile as text.
	rules []string
}

func newSide(s *State, u *universe, known clusterwide.Interned) *side {
	x := &side{Policies: clusterwide.New(u.programs(s), known), state: s, pods: netpath.Pods(s.Objects)}
	for i := range x.Policy.Profiles {
		x.rules = append(x.rules, rulesText(&x.Policy.Profiles[i]))
	}
	return x
}

// rulesText formats the policies of a profile, independent of where they are written.
func rulesText(p *ir.Profile) string {
	var b strings.Builder
	for _, d := range ir.Directions() {
		fmt.Fprintln(&b, d)
		for _, t := range p.Tiers(d) {
			fmt.Fprintln(&b, t.Title(), t.Default, t.OwnNode)
			for i := range t.Rules {
				r := &t.Rules[i]
				fmt.Fprintf(&b, "%v %v %q %q %v %v %v %v %v %q %q\n", r.Action, r.AnyPeer, r.Peers, r.NotPeers,
					r.AnyPort, r.Ports, r.NotPorts, r.SourcePorts, r.OwnNode, r.Prefix, r.Payload)
			}
		}
	}
	return b.String()
}

// rulesOf returns the rules for the pod with an address; "" is none.
func (x *side) rulesOf(a netip.Addr) string {
	if at := x.ProfileAt(a); at >= 0 {
		return x.rules[at]
	}
	return ""
}

// members maps each address to the sets of pods and nodes that contain it, among
// the sets of both sides, by number.
func members(before, after *side) (was, is map[netip.Addr][]int32) {
	number := make(map[string]int32)
	for i := range before.Policy.AddressSets {
		number[before.Policy.AddressSets[i].ID] = 0
	}
	n := int32(0)
	for i := range after.Policy.AddressSets {
		if id := after.Policy.AddressSets[i].ID; has(number, id) {
			n++
			number[id] = n
		}
	}
	collect := func(x *side) map[netip.Addr][]int32 {
		out := make(map[netip.Addr][]int32)
		for i := range x.Policy.AddressSets {
			if n := number[x.Policy.AddressSets[i].ID]; n != 0 {
				for _, a := range x.Policy.AddressSets[i].Addresses {
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
