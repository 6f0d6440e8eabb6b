package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

func structural(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrStructure}, args...)...)
}

// changer plans the change of one table.
type changer struct {
	held, old, now *Table
	refs, ids      map[string]int
	// delta and idDelta are added to refs and ids; oldIDs counts the IDs of the
	// Services in the old fragment.
	delta, idDelta, oldIDs map[string]int
	change                 *tableChange
}

func (l *Live) changeTable(f nft.Family, old, now *Table, policy bool) (*tableChange, error) {
	c := &tableChange{family: f}
	held := l.model.Table(f)
	if old == nil && now == nil && (held == nil || !policy) {
		return c, nil
	}
	if held == nil {
		return nil, structural("it does not exist")
	}
	old, now = cmp.Or(old, newTable(f)), cmp.Or(now, newTable(f))
	x := &changer{held: held, old: old, now: now, refs: l.refs[f], ids: l.ids[f], delta: make(map[string]int), idDelta: make(map[string]int), oldIDs: make(map[string]int), change: c}
	for _, s := range old.Sets {
		if s.role == nftables.ServiceIDs {
			for _, r := range s.Elems.all() {
				countElement(nil, x.oldIDs, s, r, 1)
			}
		}
	}
	steps := []func() error{x.sets, x.fixedChains, x.leaves}
	if policy {
		steps = append(steps, x.policy)
	} else {
		steps = append(steps, x.policyParts)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (x *changer) sets() error {
	for _, s := range x.old.Sets {
		if x.now.sets[s.Name] == nil && !s.role.OfPolicy() {
			if err := x.set(s, &Set{Name: s.Name, role: s.role, Flags: s.Flags, DataType: s.DataType}, s); err != nil {
				return err
			}
		}
	}
	for _, s := range x.now.Sets {
		if s.role.OfPolicy() {
			continue
		}
		from := x.old.sets[s.Name]
		if from == nil {
			from = &Set{Name: s.Name}
		}
		if err := x.set(from, s, s); err != nil {
			return err
		}
	}
	return nil
}

// set compares the elements of two fragments and checks them against the held
// set; spec is the fragment's set that is declared.
func (x *changer) set(from, to, spec *Set) error {
	held := x.held.sets[spec.Name]
	if held == nil && spec.role == nftables.LargeEndpoints && from.Elems.Len() == 0 {
		// Its chain is new too: no pool of this size was there.
		x.change.newSets = append(x.change.newSets, to)
		x.change.elems = append(x.change.elems, elemChange{set: to, whole: true}.named())
		return nil
	}
	if held == nil {
		return structural("no set %s", spec.Name)
	}
	if !held.sameSpec(spec) {
		return structural("set %s is declared otherwise", spec.Name)
	}
	// A fragment without a frontend of the family has no table, and so lacks the node's
	// facts.
	if spec.Dynamic() || spec.role == nftables.NodeFacts {
		return nil
	}
	e := diffElems(from, to)
	if len(e.del)+len(e.add) == 0 {
		return nil
	}
	for _, place := range e.del {
		r, _ := from.Elems.at(place)
		if h, ok := held.Elems.get(r.key); !ok || !h.same(r) {
			return structural("an element of %s is not there", spec.Name)
		}
		countElement(x.delta, x.idDelta, spec, r, -1)
	}
	for _, place := range e.add {
		r, _ := to.Elems.at(place)
		_, replaced := from.Elems.get(r.key)
		if _, there := held.Elems.get(r.key); there != replaced {
			return structural("an element of %s is there already", spec.Name)
		}
		if spec.role == nftables.ServiceIDs && x.ids[string(r.data)] > 0 && x.oldIDs[string(r.data)] == 0 {
			return structural("two Services have one affinity ID")
		}
		countElement(x.delta, x.idDelta, spec, r, 1)
	}
	if held.Elems.Len()+len(e.add) == len(e.del) {
		if spec.role == nftables.LargeEndpoints {
			x.change.goneSets = append(x.change.goneSets, spec.Name)
			return nil
		}
		return structural("set %s becomes empty", spec.Name)
	}
	x.change.elems = append(x.change.elems, e.named())
	return nil
}

// fixedChains checks that the table has the rules that the new fragment needs.
// It cannot find rules that are no longer needed: those are left when a set
// becomes empty or no chain marks packets.
func (x *changer) fixedChains() error {
	for _, c := range x.now.Chains {
		if c.role.OfPolicy() {
			continue
		}
		held := x.held.chains[c.Name]
		if c.role.ByElements() {
			if held != nil && !c.sameRules(held) {
				return structural("chain %s has other rules", c.Name)
			}
			continue
		}
		if held == nil || !held.sameSpec(c) {
			return structural("no chain %s", c.Name)
		}
		for _, r := range c.Rules {
			if !slices.ContainsFunc(held.Rules, r.same) {
				return structural("chain %s lacks a rule", c.Name)
			}
		}
	}
	return nil
}

// leaves adds the chains that are needed now, with the chains they lead to, and
// then removes the chains that are not needed any more.
func (x *changer) leaves() error {
	for todo := slices.Sorted(maps.Keys(x.delta)); len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		if x.delta[name] <= 0 || x.held.chains[name] != nil || x.adds(name) {
			continue
		}
		c := x.now.chains[name]
		if c == nil || !c.role.ByElements() {
			return structural("no chain %s", name)
		}
		x.change.newChains = append(x.change.newChains, c)
		countTargets(x.delta, c, 1)
		todo = append(todo, targets(c)...)
	}
	for todo := slices.Sorted(maps.Keys(x.delta)); len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		c := x.held.chains[name]
		if c == nil || x.refs[name]+x.delta[name] > 0 || !c.role.ByElements() || c.role == nftables.StandingPick || slices.Contains(x.change.goneChains, name) {
			continue
		}
		x.change.goneChains = append(x.change.goneChains, name)
		countTargets(x.delta, c, -1)
		todo = append(todo, targets(c)...)
	}
	return x.marking()
}

func (x *changer) adds(name string) bool {
	return slices.ContainsFunc(x.change.newChains, func(c *Chain) bool { return c.Name == name })
}

func targets(c *Chain) []string {
	var list []string
	for _, r := range c.Rules {
		if r.to != "" {
			list = append(list, r.to)
		}
	}
	return list
}

// marking refuses a change after which no chain marks packets:
// nat-postrouting would have a superfluous rule.
func (x *changer) marking() error {
	marks := func(name string) bool { return nftables.RoleOfChain(name) == nftables.Marking }
	if !slices.ContainsFunc(x.change.goneChains, marks) || slices.ContainsFunc(x.change.newChains, func(c *Chain) bool { return marks(c.Name) }) {
		return nil
	}
	for _, c := range x.held.Chains {
		if marks(c.Name) && !slices.Contains(x.change.goneChains, c.Name) {
			return nil
		}
	}
	return structural("no chain masquerades any more")
}
