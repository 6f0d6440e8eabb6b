package live

import "slices"

// commit applies a change of the kernel's table to the held table.
func (l *Live) commit(c *tableChange) {
	h := holder{t: l.model.Table(c.family), refs: l.refs[c.family], ids: l.ids[c.family]}
	for _, s := range c.newSets {
		h.t.addSet(s)
	}
	for i := range c.elems {
		h.elements(&c.elems[i])
	}
	for _, n := range c.rules {
		held := h.t.chains[n.Name]
		countTargets(h.refs, held, -1)
		countTargets(h.refs, n, 1)
		held.Rules, held.sum = n.Rules, n.sum
	}
	for _, n := range c.newChains {
		h.t.addChain(n)
		countTargets(h.refs, n, 1)
	}
	for _, n := range c.goneSets {
		s := h.t.sets[n]
		for _, r := range s.Elems.all() {
			h.count(s, r, -1)
		}
	}
	h.t.removeSets(c.goneSets)
	for _, n := range c.goneChains {
		countTargets(h.refs, h.t.chains[n], -1)
	}
	for _, n := range c.goneChains {
		delete(h.refs, n)
	}
	h.t.removeChains(c.goneChains)
}

// holder changes one held table.
type holder struct {
	t         *Table
	refs, ids map[string]int
}

func (h *holder) count(s *Set, r record, n int) { countElement(h.refs, h.ids, s, r, n) }

func (h *holder) elements(e *elemChange) {
	s := h.t.sets[e.set.Name]
	if e.whole {
		for _, r := range e.set.Elems.all() {
			h.count(s, r, 1)
		}
		return
	}
	for _, place := range e.del {
		r, _ := e.from.Elems.at(place)
		h.count(s, r, -1)
		if e.from != s {
			s.Elems.remove(r.key)
		}
	}
	for _, place := range e.add {
		r, _ := e.set.Elems.at(place)
		h.count(s, r, 1)
		if e.from != s {
			s.Elems.add(r)
		}
	}
	if e.from == s {
		// The change replaced all held elements.
		s.Elems, s.sum = e.set.Elems, e.set.sum
		return
	}
	s.sum += e.set.sum - e.from.sum
}

func (t *Table) removeSets(names []string) {
	for _, n := range names {
		delete(t.sets, n)
	}
	if len(names) > 0 {
		t.Sets = slices.DeleteFunc(t.Sets, func(s *Set) bool { return t.sets[s.Name] == nil })
	}
}

func (t *Table) removeChains(names []string) {
	for _, n := range names {
		delete(t.chains, n)
	}
	if len(names) > 0 {
		t.Chains = slices.DeleteFunc(t.Chains, func(c *Chain) bool { return t.chains[c.Name] == nil })
	}
}
