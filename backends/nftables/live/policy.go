package live

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
