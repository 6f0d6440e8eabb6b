package live

import (
	"errors"

	"github.com/planec/planec/internal/text/nft"
)

// Plan is one transaction: the changes of each table.
type Plan struct {
	changes []*tableChange
	// want is the model to reach, for planning again; nil if only a Live has it.
	want *Model
	// generation is the observed ruleset's, valid if observed is set.
	generation uint32
	observed   bool
	// fromNothing reports that the kernel had no table of planec.
	fromNothing bool
	// socket is that of the Live whose plan it is, or nil.
	socket *kept
	// committed counts the transactions that the kernel took.
	committed int
	// atOnce says that new content is not to be added in parts.
	atOnce bool
	// room is how long the longest batch is of those that the plan is one of, in bytes; 0 if it is
	// the only one.
	room int
	// made is what the plan made, once it was applied; see [Made].
	made *Made
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.changes) == 0 }

// FromNothing reports whether the plan was made for a kernel without a table of
// planec.
func (p *Plan) FromNothing() bool { return p.fromNothing }

// tableChange is the change of one table, in the order in which it is sent.
type tableChange struct {
	family nft.Family
	// remove deletes the table with its content; why is the reason, for users.
	// create makes the table, before the rest.
	remove, create bool
	why            string
	// dormant takes the table's chains off their hooks. It excludes other changes.
	dormant bool
	// inert adds the base chains of a new table without rules.
	inert     bool
	newChains []*Chain
	newSets   []*Set
	elems     []elemChange
	// rules are existing chains whose rules are replaced; new chains bring their rules.
	rules      []*Chain
	goneChains []string
	goneSets   []string
}

// empty reports whether nothing changes.
func (c *tableChange) empty() bool {
	return !c.remove && !c.create && len(c.newChains)+len(c.newSets)+len(c.elems)+len(c.rules)+len(c.goneChains)+len(c.goneSets) == 0
}

// elemChange is the change of one set. Elements are given as places in the
// sets that hold them.
type elemChange struct {
	set *Set
	// from holds the elements of del, set those of add; whole adds all of set, and a part with
	// elements adds those.
	from     *Set
	del, add []uint32
	whole    bool
	part     span
	// replaced counts the keys that are in both del and add.
	replaced int
	// names are the objects behind the elements. They are collected when the plan is
	// made, because a commit changes the held sets.
	names string
}

func (c *elemChange) added() int {
	switch {
	case c.whole:
		return c.set.Elems.Len()
	case c.part.n > 0:
		return c.part.n
	}
	return len(c.add)
}

// Plan returns the transaction that turns the kernel's tables into the wanted ones.
func (s *State) Plan(want *Wanted) (*Plan, error) {
	if s.sealed != nil && s.sealed == want {
		return &Plan{generation: s.Generation, observed: true}, nil
	}
	if s.Model == nil {
		return nil, errors.New("the nftables rules of the kernel were not read")
	}
	m, err := want.Model()
	if err != nil {
		return nil, err
	}
	return Diff(s, m), nil
}

// Diff returns the transaction that turns the kernel's tables into the
// wanted ones.
func Diff(have *State, want *Model) *Plan {
	p := diffModels(have.Model, want)
	p.generation, p.observed = have.Generation, true
	return p
}

func diffModels(have, want *Model) *Plan {
	p := &Plan{want: want, fromNothing: len(have.Tables) == 0}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		if c := diffTables(f, have.Table(f), want.Table(f)); !c.empty() {
			p.changes = append(p.changes, c)
		}
	}
	return p
}

func diffTables(f nft.Family, have, want *Table) *tableChange {
	c := &tableChange{family: f}
	switch {
	case have == nil && want == nil:
	case want == nil:
		c.remove, c.why = true, "no longer needed"
	case have == nil:
		c.createAll(want)
	default:
		if c.why = structure(have, want); c.why != "" {
			c.remove = true
			c.createAll(want)
			break
		}
		c.diffChains(have, want)
		c.diffSets(have, want)
	}
	return c
}

func (c *tableChange) createAll(t *Table) {
	c.create = true
	c.newChains, c.newSets = t.Chains, t.Sets
	for _, s := range t.Sets {
		if s.Elems.Len() > 0 {
			c.elems = append(c.elems, elemChange{set: s, whole: true}.named())
		}
	}
}

// structure returns the reason for replacing a whole table, or "".
func structure(have, want *Table) string {
	if have.odd != want.odd {
		return have.odd
	}
	for _, s := range have.Sets {
		if w := want.sets[s.Name]; w != nil && !w.sameSpec(s) {
			return "set " + s.Name + " is declared otherwise"
		}
	}
	for _, c := range have.Chains {
		if w := want.chains[c.Name]; w != nil && !w.sameSpec(c) {
			return "chain " + c.Name + " is declared otherwise"
		}
	}
	return ""
}

func (c *tableChange) diffChains(have, want *Table) {
	for _, w := range want.Chains {
		switch h := have.chains[w.Name]; {
		case h == nil:
			c.newChains = append(c.newChains, w)
		case !w.sameRules(h):
			c.rules = append(c.rules, w)
		}
	}
	for _, h := range have.Chains {
		if want.chains[h.Name] == nil {
			c.goneChains = append(c.goneChains, h.Name)
		}
	}
}

func (c *tableChange) diffSets(have, want *Table) {
	for _, w := range want.Sets {
		h := have.sets[w.Name]
		switch {
		case h == nil:
			c.newSets = append(c.newSets, w)
			if w.Elems.Len() > 0 {
				c.elems = append(c.elems, elemChange{set: w, whole: true}.named())
			}
		case !w.Dynamic():
			if e := diffElems(h, w); len(e.del)+len(e.add) > 0 {
				c.elems = append(c.elems, e.named())
			}
		}
	}
	for _, h := range have.Sets {
		if want.sets[h.Name] == nil {
			c.goneSets = append(c.goneSets, h.Name)
		}
	}
}

// diffElems compares elements. Only those of want need an index, and not if have has none.
func diffElems(have, want *Set) elemChange {
	e := elemChange{set: want, from: have}
	if have.Elems.shared(&want.Elems) {
		return e
	}
	if have.Elems.n > 0 {
		want.Elems.indexed()
	}
	kept := 0
	// keep marks the slots of want whose elements exist already.
	keep := make([]uint64, (len(want.Elems.slots)+63)/64)
	for place, r := range have.Elems.all() {
		slot, ok := want.Elems.find(r.key)
		if ok {
			if w, _ := want.Elems.at(want.Elems.slots[slot] - 1); w.same(r) {
				keep[slot/64] |= 1 << (slot % 64)
				kept++
				continue
			}
			e.replaced++
		}
		e.del = append(e.del, place)
	}
	if kept == want.Elems.Len() {
		return e
	}
	for place, r := range want.Elems.all() {
		if kept > 0 {
			if slot, _ := want.Elems.find(r.key); keep[slot/64]&(1<<(slot%64)) != 0 {
				continue
			}
		}
		e.add = append(e.add, place)
	}
	return e
}
