package live

import "slices"

// policy compares the whole held policy with the wanted one: no rule or
// element links it with Services.
func (x *changer) policy() error {
	have, want := x.held.policy(), x.now.policy()
	if why := structure(have, want); why != "" {
		return structural("%s", why)
	}
	x.change.diffChains(have, want)
	x.change.diffSets(have, want)
	if len(x.held.Chains)+len(x.change.newChains) == len(x.change.goneChains) {
		return structural("nothing is left to do in it")
	}
	return nil
}

// policy returns the part of the table that belongs to policies.
func (t *Table) policy() *Table {
	p := newTable(t.Family)
	for _, s := range t.Sets {
		if s.role.OfPolicy() {
			p.addSet(s)
		}
	}
	for _, c := range t.Chains {
		if c.role.OfPolicy() {
			p.addChain(c)
		}
	}
	return p
}

// policyParts compares the parts of policies in two fragments. Chains and sets that neither of
// them has stay as they are, and so do elements of a set that both have.
func (x *changer) policyParts() error {
	for _, was := range x.old.Chains {
		if held := x.held.chains[was.Name]; was.role.OfPolicy() && (held == nil || !held.sameSpec(was) || !was.sameRules(held)) {
			return structural("chain %s has other rules", was.Name)
		}
	}
	for _, is := range x.now.Chains {
		if !is.role.OfPolicy() {
			continue
		}
		was, held := x.old.chains[is.Name], x.held.chains[is.Name]
		switch {
		case was == nil && held != nil:
			return structural("chain %s is there already", is.Name)
		case was != nil && !is.sameSpec(was):
			return structural("chain %s is declared otherwise", is.Name)
		}
	}
	for _, s := range slices.Concat(x.old.Sets, x.now.Sets) {
		if err := x.policySet(s.Name); s.role.OfPolicy() && err != nil {
			return err
		}
	}
	old, now := x.old.policy(), x.now.policy()
	x.change.diffChains(old, now)
	x.change.diffSets(old, now)
	if len(x.held.Chains)+len(x.change.newChains) == len(x.change.goneChains) {
		return structural("nothing is left to do in it")
	}
	return nil
}

// policySet checks one set of policies in two fragments against the held one.
func (x *changer) policySet(name string) error {
	was, is, held := x.old.sets[name], x.now.sets[name], x.held.sets[name]
	switch {
	case was == nil && held != nil:
		return structural("set %s is there already", name)
	case was != nil && (held == nil || !held.sameSpec(was)), was != nil && is != nil && !is.sameSpec(was):
		return structural("set %s is declared otherwise", name)
	case was == nil:
		return nil
	}
	for _, r := range was.Elems.all() {
		if h, ok := held.Elems.get(r.key); !ok || !h.same(r) {
			return structural("an element of %s is not there", name)
		}
	}
	if is == nil {
		return nil
	}
	for _, r := range is.Elems.all() {
		_, before := was.Elems.get(r.key)
		if _, there := held.Elems.get(r.key); there && !before {
			return structural("an element of %s is there already", name)
		}
	}
	return nil
}
