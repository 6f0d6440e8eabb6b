package live

import (
	"maps"

	"github.com/planec/planec/backends"
)

// Held is the artifact in the kernel, together with the changes by fragments
// since. It plans changes without reading the kernel.
type Held struct {
	base backends.Artifact
	// chains are the chains that fragments have changed, by family and table.
	chains map[place]map[string]edited
	// sets are the sets that fragments have changed.
	sets map[string]*editedSet
}

// place is a table of one family.
type place struct {
	ipv6  bool
	table string
}

// edited is a chain in the artifact and in the kernel; nil means that it does not
// exist there.
type edited struct{ base, now []string }

// editedSet is the difference between a set in the kernel and in the artifact.
type editedSet struct {
	kind string
	// there is whether the kernel has the set.
	there      bool
	come, gone map[string]bool
}

// Hold starts from the artifact that was applied.
func Hold(a backends.Artifact) *Held {
	h := &Held{}
	h.rebase(a)
	return h
}

func (h *Held) rebase(a backends.Artifact) {
	h.base, h.chains, h.sets = a, make(map[place]map[string]edited), make(map[string]*editedSet)
}

// Commit updates the held state after the plan was carried out.
func (h *Held) Commit(p *Plan) { p.commit() }

// Replace plans the change from the held state to another artifact.
func (h *Held) Replace(whole backends.Artifact) (*Plan, error) {
	have, want, err := differingStates(h.base, whole)
	if err != nil {
		return nil, err
	}
	for at, chains := range h.chains {
		old, now := have.table(at), want.table(at)
		for name, e := range chains {
			_, was := old.chains[name]
			_, is := now.chains[name]
			if !was && !is && e.base != nil { // equal in both artifacts
				now.chains[name] = e.base
			}
			if delete(old.chains, name); e.now != nil {
				old.chains[name] = e.now
			}
		}
	}
	if err := h.editSets(have, want, whole); err != nil {
		return nil, err
	}
	p := NewPlan(have, want)
	p.commit = func() { h.rebase(whole) }
	return p, nil
}

// editSets parses the sets that fragments have changed completely.
func (h *Held) editSets(have, want *State, whole backends.Artifact) error {
	if len(h.sets) == 0 {
		return nil
	}
	touched := func(name string) bool { return h.sets[name] != nil }
	base, err := ParseSets(h.base, touched)
	if err != nil {
		return err
	}
	now, err := ParseSets(whole, touched)
	if err != nil {
		return err
	}
	for name, e := range h.sets {
		delete(have.sets, name)
		delete(want.sets, name)
		if now.sets[name] != nil {
			want.sets[name] = now.sets[name]
		}
		if !e.there {
			continue
		}
		s := base.sets[name]
		if s == nil {
			s = &set{kind: e.kind, members: make(map[string]bool)}
		}
		for m := range e.gone {
			delete(s.members, m)
		}
		maps.Copy(s.members, e.come)
		have.sets[name] = s
	}
	return nil
}
