//go:build !js

package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// next resolves the next policy, or returns nil if that must be done as a whole; the history is
// of no use then. A nil history has nothing to offer.
func (h *history) next(p *ir.Policy) *Policy {
	if h == nil || p.OnRedirect != h.of.OnRedirect || len(h.ids) > maxNumbers*(len(p.AddressSets)+len(h.of.AddressSets)) {
		return nil
	}
	moves, ok := h.moves(p.AddressSets)
	if !ok {
		return h.exchanged(p)
	}
	s := step{history: h, policy: p, networks: h.out.Networks}
	if s.hosts, s.origins, ok = h.shifts(moves, h.out.Networks); !ok {
		return nil
	}
	s.classes()
	s.movedSets()
	s.start()
	return s.finish()
}

// finish makes the tables, and has the history begin at the policy; nil if rows have one name.
func (s *step) finish() *Policy {
	for i := range s.policy.Profiles {
		s.profile(&s.policy.Profiles[i])
	}
	if len(s.builder.out.Rows) > len(s.out.Rows) && !s.orderRows() {
		return nil
	}
	out := &s.builder.out
	s.history.of, s.history.out = *s.policy, out
	return out
}

// step makes the tables of one policy from those of the policy before it.
type step struct {
	*history
	policy   *ir.Policy
	hosts    []Host
	networks []Network
	origins  []origin
	// list are the classes; fresh and gone are IDs of those that are only there now, sorted,
	// with the class each came from, and that were only there before.
	list  []Class
	fresh []origin
	gone  map[uint32]bool
	// apart are the sets that new classes came into or left, of those that stay.
	apart map[string]bool
	// builder resolves the profiles that are new.
	builder *builder
	// old are the profiles before, those that are not passed yet.
	old []Profile
}

// classes makes the list of the classes.
func (s *step) classes() {
	s.gone = make(map[uint32]bool)
	before := make(map[uint32]bool, len(s.origins))
	for _, o := range s.origins {
		for _, id := range []uint32{o.class, o.from} {
			_, before[id] = slices.BinarySearchFunc(s.out.Classes, id, compareClass)
			if id != 0 && before[id] && s.history.classes[id].uses == 0 {
				s.gone[id] = true
			}
		}
	}
	for id := range before {
		if k := s.history.classes[id]; k != nil && k.uses == 0 {
			delete(s.history.classes, id)
		}
	}
	for _, o := range s.origins {
		if s.history.classes[o.class] != nil && !before[o.class] {
			before[o.class] = true
			s.fresh = append(s.fresh, o)
		}
	}
	slices.SortFunc(s.fresh, func(a, b origin) int { return cmp.Compare(a.class, b.class) })
	s.mergeClasses()
}

// mergeClasses makes the list of the classes of those before.
func (s *step) mergeClasses() {
	if len(s.fresh)+len(s.gone) == 0 {
		s.list = s.out.Classes
		return
	}
	s.list = make([]Class, 0, len(s.out.Classes)+len(s.fresh))
	fresh := s.fresh
	for i := range s.out.Classes {
		c := &s.out.Classes[i]
		for len(fresh) > 0 && fresh[0].class < c.ID {
			s.list, fresh = append(s.list, s.listed(fresh[0].class)), fresh[1:]
		}
		if !s.gone[c.ID] {
			s.list = append(s.list, *c)
		}
	}
	for _, o := range fresh {
		s.list = append(s.list, s.listed(o.class))
	}
}

func compareClass(c Class, id uint32) int { return cmp.Compare(c.ID, id) }

// listed returns a class that lists its sets.
func (s *step) listed(id uint32) Class {
	k := s.history.classes[id]
	c := Class{ID: id, listed: make([]string, len(k.sets))}
	for i, n := range k.sets {
		c.listed[i] = s.ids[n]
	}
	return c
}

// start makes the builder, in which every class is a sample outside of all networks.
func (s *step) start() {
	b := &builder{
		names: identity.Names{Hash: s.hash}, sets: s.policy.AddressSets, onRedirect: s.policy.OnRedirect, rowIndex: s.rows,
		out: Policy{Classes: s.list, Hosts: s.hosts, Networks: s.networks, Rows: slices.Clip(s.out.Rows)},
	}
	b.out.Profiles = make([]Profile, 0, len(s.policy.Profiles))
	s.builder, s.old = b, s.out.Profiles
}

// sample fills in what the builder needs to make a table of rules.
func (s *step) sample(tiers []ir.Tier) {
	b := s.builder
	if b.forest != nil {
		return // it made the classes, and knows which sets they have
	}
	if b.samples == nil {
		b.setIndex = make(map[string]int, len(b.sets))
		for i := range b.sets {
			b.setIndex[b.sets[i].ID] = i
		}
		b.edges, b.owners, b.samples = make([][]edge, len(b.sets)), make([][]int32, len(b.sets)), make([]sample, len(s.list))
		for i := range s.list {
			b.samples[i] = sample{network: -1, class: int32(i)}
		}
	}
	places := make(map[int32]int)
	for i := range tiers {
		for j := range tiers[i].Rules {
			for _, id := range tiers[i].Rules[j].Sets() {
				if n, has := s.numbers[id]; has && b.owners[b.setIndex[id]] == nil {
					places[n] = b.setIndex[id]
				}
			}
		}
	}
	for i := range s.list {
		for _, n := range s.history.classes[s.list[i].ID].sets {
			if place, wanted := places[n]; wanted {
				b.owners[place] = append(b.owners[place], int32(i))
			}
		}
	}
}

// profile resolves the next profile.
func (s *step) profile(p *ir.Profile) {
	for len(s.old) > 0 && s.old[0].ID < p.ID {
		s.old = s.old[1:]
	}
	out := Profile{Profile: p}
	var old *Profile
	if len(s.old) > 0 && s.old[0].ID == p.ID && s.old[0].Node == p.Node {
		old = &s.old[0]
	}
	for _, d := range ir.Directions() {
		var t *Table
		if old != nil && sameList(old.Tiers(d), p.Tiers(d)) {
			t = s.follow(old.Table(d), p.Tiers(d), d == ir.Ingress && !p.Node)
		} else {
			t = s.table(p.Tiers(d), d == ir.Ingress && !p.Node)
		}
		if d == ir.Ingress {
			out.Ingress = t
		} else {
			out.Egress = t
		}
	}
	s.builder.out.Profiles = append(s.builder.out.Profiles, out)
}

// table makes a table anew.
func (s *step) table(tiers []ir.Tier, own bool) *Table {
	if len(tiers) == 0 {
		return nil
	}
	s.sample(tiers)
	t := s.builder.table(tiers, own)
	if s.builder.acceptsAll(t) {
		return nil
	}
	return t
}

// follow is table for the rules that made another table before.
func (s *step) follow(old *Table, tiers []ir.Tier, own bool) *Table {
	if len(tiers) == 0 || len(s.fresh)+len(s.gone) == 0 {
		return old
	}
	if s.tellsApart(tiers) {
		return s.table(tiers, own)
	}
	if old == nil {
		return nil // what its classes came from was accepted
	}
	t := *old
	t.classes = s.list
	if added := s.added(old); len(added) > 0 || s.loses(old) {
		t.rows = s.merged(old.rows, added)
		t.counted = countRows(t.rows)
	}
	if t.settle(); s.builder.acceptsAll(&t) {
		return nil
	}
	return &t
}

// added are the new classes that have other rows than most classes.
func (s *step) added(old *Table) []ClassRow {
	var out []ClassRow
	for _, o := range s.fresh {
		if row := old.Row(o.from); row != old.others {
			out = append(out, ClassRow{o.class, row})
		}
	}
	return out
}

// loses reports whether a class that is gone has another row than most.
func (s *step) loses(old *Table) bool {
	for class := range s.gone {
		if _, has := slices.BinarySearchFunc(old.rows, class, func(r ClassRow, class uint32) int { return cmp.Compare(r.Class, class) }); has {
			return true
		}
	}
	return false
}

// merged returns the rows without classes that are gone, and with added ones.
func (s *step) merged(rows, added []ClassRow) []ClassRow {
	out := make([]ClassRow, 0, len(rows)+len(added))
	for _, r := range rows {
		for len(added) > 0 && added[0].Class < r.Class {
			out, added = append(out, added[0]), added[1:]
		}
		if !s.gone[r.Class] {
			out = append(out, r)
		}
	}
	return append(out, added...)
}

// tellsApart reports whether rules name a set that an address of a new class came into, or left.
func (s *step) tellsApart(tiers []ir.Tier) bool {
	if len(s.apart) == 0 {
		return false
	}
	for i := range tiers {
		for j := range tiers[i].Rules {
			if slices.ContainsFunc(tiers[i].Rules[j].Sets(), func(id string) bool { return s.apart[id] }) {
				return true
			}
		}
	}
	return false
}

// movedSets finds the sets in which new classes differ from those that they came from. No rule
// that stays names a set that came or went.
func (s *step) movedSets() {
	s.apart = make(map[string]bool)
	for _, o := range s.fresh {
		for _, m := range o.moves {
			if id := s.ids[m.number]; hasSet(s.of.AddressSets, id) && hasSet(s.policy.AddressSets, id) {
				s.apart[id] = true
			}
		}
	}
}

func hasSet(sets []ir.AddressSet, id string) bool {
	_, found := slices.BinarySearchFunc(sets, id, func(s ir.AddressSet, id string) int { return cmp.Compare(s.ID, id) })
	return found
}

// orderRows drops rows that no table has, and sorts the others. It reports whether no two have
// one name.
func (s *step) orderRows() bool {
	out := &s.builder.out
	moved := make([]int, len(out.Rows))
	out.eachTable(func(t **Table) { out.mark(*t, moved) })
	order := make([]int, 0, len(moved))
	for i := range moved {
		if moved[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(out.Rows[x].ID, out.Rows[y].ID) })
	rows := make([]Row, len(order))
	for to, from := range order {
		rows[to], moved[from] = out.Rows[from], to
	}
	for i := range rows {
		if i > 0 && rows[i].ID == rows[i-1].ID {
			return false
		}
		rows[i].Sources = slices.Clone(rows[i].Sources)
		for j := range rows[i].Sources {
			rows[i].Sources[j].Row = moved[rows[i].Sources[j].Row]
		}
	}
	out.Rows = rows
	out.eachTable(func(t **Table) {
		*t = (*t).renamed(moved)
		(*t).settle()
	})
	return s.keepRows(out)
}

// eachTable visits the tables that are there.
func (p *Policy) eachTable(do func(**Table)) {
	for i := range p.Profiles {
		for _, t := range []**Table{&p.Profiles[i].Ingress, &p.Profiles[i].Egress} {
			if *t != nil {
				do(t)
			}
		}
	}
}

// mark marks the rows that a table leads to.
func (p *Policy) mark(t *Table, used []int) {
	mark := func(row int) {
		used[row] = 1
		for _, s := range p.Rows[row].Sources {
			used[s.Row] = 1
		}
	}
	if t.Own >= 0 {
		mark(t.Own)
	}
	p.Used(t, mark)
}
