package live

// policy compares all that is held of the policy with all that there is to be:
// nothing of Services leads to it or away from it.
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

// policy is what of the table is about policies.
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
