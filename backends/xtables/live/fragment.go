package live

import (
	"bytes"
	"errors"
	"fmt"
	"maps"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
)

// ErrStructure means that a change needs a whole artifact, because fragments do not suffice.
var ErrStructure = errors.New("the change is not one of single Services' chains and of members of sets")

// Change plans the change from one fragment of the held artifact to another. It
// returns [ErrStructure] if the change depends on the rest of the artifact.
func (h *Held) Change(before, after backends.Artifact) (*Plan, error) {
	have, want, err := differingStates(before, after)
	if err != nil {
		return nil, err
	}
	for _, ipv6 := range []bool{false, true} {
		for _, table := range order {
			if !h.local(place{ipv6, table}, have, want) {
				return nil, ErrStructure
			}
		}
	}
	for _, name := range sortedKeys(mergedKeys(have.sets, want.sets)) {
		if !memberwise(name, have.sets[name], want.sets[name]) {
			return nil, ErrStructure
		}
	}
	p := NewPlan(have, want)
	p.commit = func() { h.edit(have, want) }
	return p, nil
}

// local reports whether only chains of single Services differ in a table, and the
// names of new chains are not in use.
func (h *Held) local(at place, have, want *State) bool {
	old, now := have.table(at), want.table(at)
	if len(old.jumps)+len(now.jumps) > 0 {
		return false
	}
	for name := range mergedKeys(old.chains, now.chains) {
		if xtables.ChainRole(name) != xtables.OneService {
			return false
		}
		if _, there := old.chains[name]; !there && h.has(at, name) {
			return false
		}
	}
	return true
}

// has reports whether the kernel may have the chain.
func (h *Held) has(at place, name string) bool {
	if e, there := h.chains[at][name]; there {
		return e.now != nil
	}
	file := "iptables.rules"
	if at.ipv6 {
		file = "ip6tables.rules"
	}
	return bytes.Contains(h.base.File(file), fmt.Appendf(nil, "\n:%s ", name))
}

// memberwise reports whether a set changes by a few members, or is an empty set
// that is added or removed.
func memberwise(name string, have, want *set) bool {
	if have == nil || want == nil {
		return byRules(name)
	}
	if have.kind != want.kind {
		return false
	}
	before, _, _ := refill(name, have, want)
	return !bytes.Contains(before, []byte("swap "))
}

// edit records the changes of a fragment.
func (h *Held) edit(have, want *State) {
	for _, ipv6 := range []bool{false, true} {
		for _, table := range order {
			at := place{ipv6, table}
			old, now := have.table(at), want.table(at)
			for name := range mergedKeys(old.chains, now.chains) {
				if h.chains[at] == nil {
					h.chains[at] = make(map[string]edited)
				}
				e, again := h.chains[at][name]
				if !again {
					e.base = old.chains[name]
				}
				e.now = now.chains[name]
				h.chains[at][name] = e
			}
		}
	}
	for name := range mergedKeys(have.sets, want.sets) {
		e := h.sets[name]
		if e == nil {
			e = &editedSet{come: make(map[string]bool), gone: make(map[string]bool)}
			h.sets[name] = e
		}
		e.note(have.sets[name], want.sets[name])
	}
}

func (e *editedSet) note(have, want *set) {
	if e.there = want != nil; want == nil {
		clear(e.come)
		return
	}
	e.kind = want.kind
	if have == nil {
		return
	}
	for m := range have.members {
		if !want.members[m] {
			delete(e.come, m)
			e.gone[m] = true
		}
	}
	for m := range want.members {
		if !have.members[m] {
			delete(e.gone, m)
			e.come[m] = true
		}
	}
}

// table returns a table of the state; changing it changes the state.
func (s *State) table(at place) *table {
	if at.ipv6 {
		return s.ipv6.of(at.table)
	}
	return s.ipv4.of(at.table)
}

func mergedKeys[V any](a, b map[string]V) map[string]V {
	out := maps.Clone(a)
	if out == nil {
		out = make(map[string]V)
	}
	maps.Copy(out, b)
	return out
}
