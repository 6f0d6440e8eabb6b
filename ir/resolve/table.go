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
	// values caches the verdicts of sets of rules.
	values []verdicts
	rows   map[setID]int
	joined map[[2]setID]setID
	few    []change
	out    []placed
}

// placed is a class, by its index, with its row.
type placed struct {
	class int32
	row   int
}

// table resolves one direction. It returns nil if there are no tiers.
func (b *builder) table(tiers []ir.Tier) *Table {
	if len(tiers) == 0 {
		return nil
	}
	d := &direction{builder: b, tiers: tiers, bySet: make(map[int32][]int32), rows: make(map[setID]int), joined: make(map[[2]setID]setID), out: b.placed[:0]}
	d.number()
	t := &Table{Default: d.row(d.anyPeer)}
	d.place(t.Default)
	b.placed = d.out
	if len(d.out) == 0 {
		return t
	}
	slices.SortFunc(d.out, func(a, b placed) int { return cmp.Compare(a.class, b.class) })
	t.Rows = make([]ClassRow, len(d.out))
	for i, p := range d.out {
		t.Rows[i] = ClassRow{b.out.Classes[p.class].ID, p.row}
	}
	return t
}

// number assigns the numbers of the rules.
func (d *direction) number() {
	most := 1
	for i := range d.tiers {
		most = max(most, len(d.tiers[i].Rules))
	}
	for 1<<d.bits < most {
		d.bits++
	}
	d.rules = newForest(len(d.tiers) << d.bits)
	var anyPeer []int32
	for i := range d.tiers {
		for j := range d.tiers[i].Rules {
			r, n := &d.tiers[i].Rules[j], int32(i<<d.bits|j)
			if r.AnyPeer {
				anyPeer = append(anyPeer, n)
			}
			for _, id := range r.Peers {
				s := int32(d.setIndex[id])
				d.bySet[s] = append(d.bySet[s], n)
			}
		}
	}
	d.anyPeer = d.rules.of(anyPeer)
}

// place adds the row of each class, unless it is the default row.
func (d *direction) place(standard int) {
	sets := slices.Sorted(maps.Keys(d.bySet))
	touched := d.touched(sets)
	next := 0
	add := func(sample, row int) {
		if row != standard {
			d.out = append(d.out, placed{d.samples[sample].class, row})
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

// stretch is a run of networks that the same rules match, up to end.
type stretch struct {
	end   int
	state setID
}

// stretches splits the networks, and the space outside of all, where a rule
// begins or ends.
func (d *direction) stretches(sets []int32) []stretch {
	w := walk{direction: d, state: d.anyPeer, counts: make(map[int32]int), holds: make(map[int32]bool)}
	for _, s := range sets {
		for _, e := range d.edges[s] {
			w.edges = append(w.edges, setEdge{e, s})
		}
	}
	slices.SortStableFunc(w.edges, func(a, b setEdge) int { return cmp.Compare(a.network, b.network) })
	for len(w.edges) > 0 {
		at := int(w.edges[0].network)
		w.leave(at)
		w.end(at)
		w.enter(at)
	}
	w.leave(len(d.nets))
	w.end(len(d.nets))
	return w.out
}

type setEdge struct {
	edge
	set int32
}

// walk traverses the networks in order, entering and leaving each.
type walk struct {
	*direction
	edges []setEdge
	// inside are the enclosing networks, with the changes to undo after each.
	inside []entered
	// holds says which sets contain the current place; counts says through how
	// many of them each rule matches it.
	holds  map[int32]bool
	counts map[int32]int
	state  setID
	out    []stretch
}

type entered struct {
	network int
	before  setID
	flipped []int32
}

func (w *walk) end(at int) {
	if n := len(w.out); n > 0 && w.out[n-1].state == w.state {
		w.out[n-1].end = at
		return
	}
	w.out = append(w.out, stretch{at, w.state})
}

func (w *walk) enter(at int) {
	e := entered{network: at, before: w.state}
	changed := make(map[int32]bool)
	for len(w.edges) > 0 && int(w.edges[0].network) == at {
		x := w.edges[0]
		w.edges = w.edges[1:]
		if w.holds[x.set] != x.in {
			e.flipped = append(e.flipped, x.set)
			w.flip(x.set, func(rule int32) { changed[rule] = true })
		}
	}
	changes := make([]change, 0, len(changed))
	for rule := range changed {
		changes = append(changes, change{rule, w.counts[rule] > 0})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	w.state = w.rules.with(w.state, changes)
	w.inside = append(w.inside, e)
}

// leave leaves the networks that do not contain network at.
func (w *walk) leave(at int) {
	for len(w.inside) > 0 {
		e := w.inside[len(w.inside)-1]
		if at < len(w.nets) && w.nets[e.network].prefix.Contains(w.nets[at].prefix.Addr()) {
			return
		}
		w.inside = w.inside[:len(w.inside)-1]
		w.end(w.behind(e.network))
		w.state = e.before
		for _, set := range slices.Backward(e.flipped) {
			w.flip(set, func(int32) {})
		}
	}
}

// behind returns the first network after the given one and all those inside it.
func (w *walk) behind(at int) int {
	p := w.nets[at].prefix
	return at + sortedPrefix(w.nets[at:], func(n network) bool { return p.Contains(n.prefix.Addr()) })
}

// flip adds the place to a set or removes it, and reports rules that begin or
// end to match.
func (w *walk) flip(set int32, told func(rule int32)) {
	in := !w.holds[set]
	w.holds[set] = in
	for _, rule := range w.bySet[set] {
		before := w.counts[rule] > 0
		if in {
			w.counts[rule]++
		} else {
			w.counts[rule]--
		}
		if before != (w.counts[rule] > 0) {
			told(rule)
		}
	}
}

// row returns the row of a state.
func (d *direction) row(state setID) int {
	row, known := d.rows[state]
	if !known {
		row = d.intern(d.verdicts(state).row())
		d.rows[state] = row
	}
	return row
}

// verdicts walks the tiers; packets that no tier decides are accepted.
func (d *direction) verdicts(state setID) verdicts {
	out := everywhere(0)
	for i := range d.tiers {
		standard := d.tiers[i].Default
		tier := d.value(d.rules.part(state, i, d.bits))
		out = out.then(tier.replaced(func(a ir.Action) ir.Action {
			if a == 0 {
				a = standard
			}
			if a == ir.Pass {
				return 0
			}
			return a
		}))
	}
	return out.then(everywhere(ir.Accept))
}

// value returns the verdicts of some rules of one tier, of which the first
// match decides.
func (d *direction) value(set setID) verdicts {
	if set == 0 {
		return everywhere(0)
	}
	for int(set) >= len(d.values) {
		d.values = append(d.values, make([]verdicts, len(d.rules.nodes)-len(d.values))...)
	}
	if v := d.values[set]; v != nil {
		return v
	}
	var v verdicts
	if n := int(set) - 1; n < len(d.tiers)<<d.bits {
		v = verdictsOf(&d.tiers[n>>d.bits].Rules[n&(1<<d.bits-1)])
	} else {
		halves := d.rules.nodes[set]
		v = d.value(halves[0]).then(d.value(halves[1]))
	}
	d.values[set] = v
	return v
}

func (b *builder) intern(r Row) int {
	b.text = r.appendContent(b.text[:0])
	if i, known := b.rowIndex[string(b.text)]; known {
		return i
	}
	id := string(b.text)
	r.ID = rowName(&r, id, &b.names)
	b.rowIndex[id] = len(b.out.Rows)
	b.out.Rows = append(b.out.Rows, r)
	return len(b.out.Rows) - 1
}
