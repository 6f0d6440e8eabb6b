package live

import (
	"slices"

	"github.com/planec/planec/backends/nftables"
)

// stages are the transactions that make a plan atomic for packets that traverse the
// rules during the commit. Empty ones are left out; most plans need only changed.
//
// A packet walks the rules of the generation that it met first, and finds new chains
// empty. But each lookup in a set uses the generation of its own moment, and an
// interval set shows new elements some microseconds after the generation changed
// (nf_tables_commit swaps rules first and calls nft_set_commit_update last,
// net/netfilter/nf_tables_api.c). So new content is added before any packet can reach
// it, and old content is removed when no packet can be in it any more.
//
// A removal carries no generation: while it waits, other tables can change.
type stages struct{ added, changed, removed *Plan }

func (p *Plan) stages() stages {
	s := stages{&Plan{want: p.want}, &Plan{want: p.want}, &Plan{want: p.want}}
	for _, c := range p.changes {
		add, change, remove := c.stages()
		s.added.take(add)
		s.changed.take(change)
		s.removed.take(remove)
	}
	s.added.generation, s.added.observed = p.generation, p.observed
	s.changed.generation, s.changed.observed = p.generation, p.observed
	if !s.added.Empty() {
		s.changed.generation = max(p.generation+1, 1) // the kernel leaves out 0
	}
	return s
}

func (p *Plan) take(c *tableChange) {
	if c != nil {
		p.changes = append(p.changes, c)
	}
}

// stages splits the change of one table; parts without changes are nil.
func (c *tableChange) stages() (add, change, remove *tableChange) {
	if c.remove || c.dormant {
		return nil, c, nil
	}
	change, remove = c.withoutRemovals()
	add, change = change.withoutEntrances()
	return add, change, remove
}

// withoutEntrances adds new content first, with empty base chains. In a single
// transaction a packet could meet the rules of a new table and find the set of local
// sources empty: its connection would be masqueraded for its whole life.
func (c *tableChange) withoutEntrances() (add, change *tableChange) {
	if len(c.newChains) == 0 {
		return nil, c
	}
	add = &tableChange{family: c.family, create: c.create, why: c.why, newChains: c.newChains, newSets: c.newSets, inert: true}
	change = &tableChange{family: c.family, rules: append(baseChains(c.newChains), c.rules...), goneChains: c.goneChains, goneSets: c.goneSets}
	for _, x := range c.elems {
		if x.whole {
			add.elems = append(add.elems, x)
		} else {
			change.elems = append(change.elems, x)
		}
	}
	if change.empty() {
		change = nil
	}
	return add, change
}

// baseChains returns the chains with a hook and with rules.
func baseChains(all []*Chain) (base []*Chain) {
	for _, c := range all {
		if c.Base() && len(c.Rules) > 0 {
			base = append(base, c)
		}
	}
	return base
}

// withoutRemovals postpones the removal of what a packet may still look up: profiles,
// what they use, and the verdicts of classes that are no more. In a single
// transaction, a packet with its old class or in its pod's old profile would find no
// verdict, and its connection would be accepted although both the old and the new
// policies deny it.
func (c *tableChange) withoutRemovals() (change, remove *tableChange) {
	if slices.ContainsFunc(c.goneChains, func(name string) bool { return nftables.RoleOfChain(name) == nftables.PolicyHook }) {
		return c, nil // no policy is left, and a packet passes if a lookup fails
	}
	kept, gone := *c, &tableChange{family: c.family}
	kept.goneChains, gone.goneChains = divide(c.goneChains, judges)
	kept.goneSets, gone.goneSets = divide(c.goneSets, func(set string) bool { return nftables.RoleOfSet(set).OfPolicy() })
	kept.elems = make([]elemChange, 0, len(c.elems))
	for _, x := range c.elems {
		if x.set.role == nftables.ProfileRows {
			var old elemChange
			if x, old = x.withoutRemovals(); len(old.del) > 0 {
				gone.elems = append(gone.elems, old)
			}
		}
		if x.whole || len(x.del)+len(x.add) > 0 {
			kept.elems = append(kept.elems, x)
		}
	}
	if gone.empty() || kept.empty() {
		return c, nil
	}
	return &kept, gone
}

// withoutRemovals keeps only deletions that are part of a replacement.
func (c elemChange) withoutRemovals() (change, remove elemChange) {
	change, remove = c, elemChange{set: c.set, from: c.from}
	change.del = nil
	for _, place := range c.del {
		r, _ := c.from.Elems.at(place)
		if _, replaced := c.set.Elems.find(r.key); replaced {
			change.del = append(change.del, place)
		} else {
			remove.del = append(remove.del, place)
		}
	}
	return change, remove
}

// judges reports whether a chain belongs to a profile, directly or as its row.
func judges(chain string) bool {
	role := nftables.RoleOfChain(chain)
	return role.OfPolicy() && role != nftables.PolicyHook
}

// divide separates the names of a kind from the others.
func divide(names []string, isOf func(string) bool) (others, those []string) {
	for _, n := range names {
		if isOf(n) {
			those = append(those, n)
		} else {
			others = append(others, n)
		}
	}
	return others, those
}

// undone returns the plan that removes the additions of p.
func (p *Plan) undone() *Plan {
	u := &Plan{}
	for _, c := range p.changes {
		gone := &tableChange{family: c.family, remove: c.create}
		if !c.create {
			for _, n := range c.newChains {
				gone.goneChains = append(gone.goneChains, n.Name)
			}
			for _, s := range c.newSets {
				gone.goneSets = append(gone.goneSets, s.Name)
			}
		}
		u.changes = append(u.changes, gone)
	}
	return u
}
