package resolve

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/planec/planec/ir"
)

// direction resolves one direction of a profile. The state of a class is the set
// of rules that match its peers; classes with equal states have the same row.
type direction struct {
	*builder
	tiers []ir.Tier
	// rules holds the sets of rules, by number. The last bits of a rule's number
	// are its place in its tier, the bits before them the place of the tier.
	rules *forest
	bits  int
	// bySet holds the rules that refer to each address set, sorted.
	bySet map[int32][]int32
	// anyPeer are the rules that match every peer.
	anyPeer setID
	// negated says that rules have NotPeers. Each rule then has two numbers that
	// differ in the last bit: the even one for its Peers, the odd one for its
	// NotPeers. A state with the odd number does not match the rule.
	negated bool
	// sources are the source ports that rules tell apart.
	sources []source
	// values caches the verdicts of sets of rules, valuesFrom those for packets
	// from one of the sources, passed those of parts of the tiers.
	values     []verdicts
	valuesFrom map[valued]verdicts
	passed     map[passed]verdicts
	rows       map[setID]int
	joined     map[[2]setID]setID
	few        []change
	placed     []placed
}

// placed is a class, by its index, with its row.
type placed struct {
	class int32
	row   int
}

// table resolves one direction; own says whether packets from the own node are
// special in it. It returns nil if there are no tiers.
func (b *builder) table(tiers []ir.Tier, own bool) *Table {
	if len(tiers) == 0 {
		return nil
	}
	d := &direction{
		builder: b, tiers: tiers, bySet: make(map[int32][]int32), rows: make(map[setID]int), joined: make(map[[2]setID]setID),
		valuesFrom: make(map[valued]verdicts), passed: make(map[passed]verdicts), sources: sourcesOf(tiers), placed: b.placed[:0],
	}
	d.number()
	t := &Table{Own: -1, Default: d.row(d.anyPeer)}
	if own {
		t.Own = d.own()
	}
	d.place(t.Default)
	b.placed = d.placed
	slices.SortFunc(d.placed, func(a, b placed) int { return cmp.Compare(a.class, b.class) })
	t.fill(b.out.Classes, d.placed)
	return t
}

// number assigns the numbers of the rules.
func (d *direction) number() {
	most := 1
	for i := range d.tiers {
		most = max(most, len(d.tiers[i].Rules))
		d.negated = d.negated || slices.ContainsFunc(d.tiers[i].Rules, func(r ir.Rule) bool { return len(r.NotPeers) > 0 })
	}
	for 1<<d.bits < most {
		d.bits++
	}
	if d.negated {
		d.bits++
	}
	d.rules = newForest(len(d.tiers) << d.bits)
	var anyPeer []int32
	for i := range d.tiers {
		for j := range d.tiers[i].Rules {
			r, n := &d.tiers[i].Rules[j], d.ruleNumber(i, j)
			if r.AnyPeer {
				anyPeer = append(anyPeer, n)
			}
			for _, id := range r.Peers {
				s := int32(d.setIndex[id])
				d.bySet[s] = append(d.bySet[s], n)
			}
			for _, id := range r.NotPeers {
				s := int32(d.setIndex[id])
				d.bySet[s] = append(d.bySet[s], n|1)
			}
		}
	}
	d.anyPeer = d.rules.of(anyPeer)
}

// ruleNumber returns the number of a rule, for its Peers.
func (d *direction) ruleNumber(tier, rule int) int32 {
	if d.negated {
		rule <<= 1
	}
	return int32(tier<<d.bits | rule)
}

// rule returns the rule with a number.
func (d *direction) rule(n int32) *ir.Rule {
	at := n & (1<<d.bits - 1)
	if d.negated {
		at >>= 1
	}
	return &d.tiers[n>>d.bits].Rules[at]
}

// isNegative reports whether the set is the number of a rule's NotPeers alone.
func (d *direction) isNegative(set setID) bool {
	n := int32(set) - 1
	return set != 0 && int(n) < len(d.tiers)<<d.bits && n&1 == 1
}

// logNumber returns the number of a log prefix.
func (b *builder) logNumber(prefix string) uint16 {
	i := slices.Index(b.prefixes, prefix)
	if i < 0 {
		i = len(b.prefixes)
		b.prefixes = append(b.prefixes, prefix)
	}
	return uint16(i + 1)
}

// place adds the row of each class, unless it is the default row.
func (d *direction) place(standard int) {
	sets := slices.Sorted(maps.Keys(d.bySet))
	touched := d.touched(sets)
	next := 0
	add := func(sample, row int) {
		if row != standard {
			d.placed = append(d.placed, placed{d.samples[sample].class, row})
		}
	}
	for _, s := range d.stretches(sets) {
		first := next
		next += sortedPrefix(d.samples[first:], func(x sample) bool { return x.network < s.end })
		row := d.row(s.state)
		// alike adds the samples that have no sets of the rules besides their network's.
		alike := func(end int) {
			for ; row != standard && first < end; first++ {
				add(first, row)
			}
			first = end
		}
		for ; len(touched) > 0 && int(touched[0].sample) < next; touched = touched[1:] {
			alike(int(touched[0].sample))
			add(first, d.row(d.join(s.state, touched[0].rules)))
			first++
		}
		alike(next)
	}
}

// sortedPrefix returns how many elements at the start of a sorted list belong.
func sortedPrefix[T any](list []T, belongs func(T) bool) int {
	n, _ := slices.BinarySearchFunc(list, true, func(x T, _ bool) int {
		if belongs(x) {
			return -1
		}
		return 1
	})
	return n
}

// own is a sample that belongs to sets of the rules besides those of its
// network, with the rules of those sets.
type own struct {
	sample int32
	rules  setID
}

// holding is a sample in a set that lists it: the sample's number, then the set's.
type holding uint64

func (h holding) sample() int32 { return int32(h >> 32) }
func (h holding) set() int32    { return int32(h & math.MaxUint32) }

// touched returns these samples, sorted.
func (d *direction) touched(sets []int32) []own {
	list := d.holdings[:0]
	for _, s := range sets {
		for _, x := range d.owners[s] {
			list = append(list, holding(x)<<32|holding(s))
		}
	}
	slices.Sort(list)
	d.holdings = list
	var out []own
	whole := make(map[int32]setID)
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].sample() == list[0].sample() {
			n++
		}
		out = append(out, own{list[0].sample(), d.rulesOf(list[:n], whole)})
		list = list[n:]
	}
	return out
}

// fewRules is the largest number of rules that are added to a set one by one.
const fewRules = 256

// rulesOf returns the rules of the sets of one sample. whole caches the rules
// of sets with many rules.
func (d *direction) rulesOf(list []holding, whole map[int32]setID) setID {
	few, many := d.few[:0], setID(0)
	for _, h := range list {
		rules := d.bySet[h.set()]
		if len(few)+len(rules) <= fewRules {
			for _, r := range rules {
				few = append(few, change{r, true})
			}
			continue
		}
		if _, known := whole[h.set()]; !known {
			whole[h.set()] = d.rules.of(rules)
		}
		many = d.join(many, whole[h.set()])
	}
	slices.SortFunc(few, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	d.few = few
	return d.join(many, d.rules.with(0, few))
}

// join returns the union of two sets of rules.
func (d *direction) join(a, b setID) setID {
	if a == 0 || b == 0 {
		return a | b
	}
	key := [2]setID{a, b}
	u, known := d.joined[key]
	if !known {
		u = d.rules.union(a, b)
		d.joined[key] = u
	}
	return u
}

// row returns the row of a state.
func (d *direction) row(state setID) int {
	row, known := d.rows[state]
	if !known {
		row = d.rowFrom(func(from source) verdicts { return d.verdicts(state, from, false) })
		d.rows[state] = row
	}
	return row
}

// rowFrom returns the row of verdicts that may depend on the source port.
func (d *direction) rowFrom(of func(source) verdicts) int {
	row := d.plainRow(of(source{}))
	for _, s := range d.sources {
		other := d.plainRow(of(s))
		other = other.within(&row, s.Protocol)
		if !other.equal(&row) {
			row.addSource(SourceRow{s.PortRange, d.intern(other)})
		}
	}
	return d.intern(row)
}

// own returns the row of packets from the own node, or -1: only rules and defaults
// with OwnNode judge them.
func (d *direction) own() int {
	if !d.judgesOwn() {
		return -1
	}
	var rules []int32
	for i := range d.tiers {
		for j := range d.tiers[i].Rules {
			r := &d.tiers[i].Rules[j]
			listed := func(id string) bool { return d.sets[d.setIndex[id]].OwnNode }
			if r.OwnNode && (r.AnyPeer || slices.ContainsFunc(r.Peers, listed)) && !slices.ContainsFunc(r.NotPeers, listed) {
				rules = append(rules, d.ruleNumber(i, j))
			}
		}
	}
	state := d.rules.of(rules)
	row := d.rowFrom(func(from source) verdicts { return d.verdicts(state, from, true) })
	if r := &d.out.Rows[row]; r.Accept && len(r.Except) == 0 && r.Plain() {
		return -1
	}
	return row
}

// judgesOwn reports whether a rule or a default is for packets from the own node.
func (d *direction) judgesOwn() bool {
	return slices.ContainsFunc(d.tiers, func(t ir.Tier) bool {
		return t.OwnNode || slices.ContainsFunc(t.Rules, func(r ir.Rule) bool { return r.OwnNode })
	})
}

// verdicts are those of all tiers; packets that no tier decides are accepted. For
// packets from the own node, only defaults with OwnNode count.
func (d *direction) verdicts(state setID, from source, own bool) verdicts {
	return d.tiered(passed{state, d.rules.depth - d.bits, 0, from, own}).then(everywhere(ir.Accept))
}

// passed are the tiers whose places begin with the bits of prefix, all but the last level
// bits, and the rules of a state in them.
type passed struct {
	set           setID
	level, prefix int
	from          source
	own           bool
}

// tiered walks the tiers of a part. States that differ in the rules of one tier share
// the verdicts of the others.
func (d *direction) tiered(p passed) verdicts {
	if p.prefix<<p.level >= len(d.tiers) {
		return everywhere(0)
	}
	if p.level == 0 {
		return d.tier(p)
	}
	if v, known := d.passed[p]; known {
		return v
	}
	halves, lower, upper := d.rules.nodes[p.set], p, p
	lower.set, lower.level, lower.prefix = halves[0], p.level-1, p.prefix<<1
	upper.set, upper.level, upper.prefix = halves[1], p.level-1, p.prefix<<1|1
	v := d.tiered(lower).then(d.tiered(upper))
	if p.level > 1 {
		d.passed[p] = v
	}
	return v
}

// tier returns the verdicts of one tier, in which no action means the next one.
func (d *direction) tier(p passed) verdicts {
	standard := d.tiers[p.prefix].Default
	if p.own && !d.tiers[p.prefix].OwnNode {
		standard = ir.Pass
	}
	return d.value(p.set, p.from).replaced(func(a ir.Action) ir.Action {
		if a == 0 {
			a = standard
		}
		if a == ir.Pass {
			return 0
		}
		return a
	})
}

// valued is a set of rules of one tier for packets from one source.
type valued struct {
	set  setID
	from source
}

// value returns the verdicts of some rules of one tier, of which the first
// match decides.
func (d *direction) value(set setID, from source) verdicts {
	if set == 0 {
		return everywhere(0)
	}
	if from != (source{}) {
		v, known := d.valuesFrom[valued{set, from}]
		if !known {
			v = d.calculate(set, from)
			d.valuesFrom[valued{set, from}] = v
		}
		return v
	}
	for int(set) >= len(d.values) {
		d.values = append(d.values, make([]verdicts, len(d.rules.nodes)-len(d.values))...)
	}
	if d.values[set] == nil {
		d.values[set] = d.calculate(set, from)
	}
	return d.values[set]
}

func (d *direction) calculate(set setID, from source) verdicts {
	if n := int32(set) - 1; int(n) < len(d.tiers)<<d.bits {
		if d.negated && n&1 == 1 {
			// The rule does not match, since its peer is one that it must not have.
			return everywhere(0)
		}
		return d.verdictsOf(d.rule(n), from)
	}
	halves := d.rules.nodes[set]
	if d.negated && d.isNegative(halves[1]) {
		return everywhere(0)
	}
	return d.value(halves[0], from).then(d.value(halves[1], from))
}

func (b *builder) intern(r Row) int {
	b.text = r.appendContent(b.text[:0], b.out.Rows)
	if i, known := b.rowIndex[string(b.text)]; known {
		return i
	}
	id := string(b.text)
	r.ID = rowName(&r, id, &b.names)
	b.rowIndex[id] = len(b.out.Rows)
	b.out.Rows = append(b.out.Rows, r)
	return len(b.out.Rows) - 1
}
