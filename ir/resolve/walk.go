package resolve

import (
	"cmp"
	"slices"
)

// stretch is a run of networks that the same rules match, up to end.
type stretch struct {
	end   int
	state setID
}

// stretches splits the networks, and the space outside of all, where a rule
// begins or ends.
func (d *direction) stretches(sets []int32) []stretch {
	w := walk{
		direction: d, counted: d.anyPeer, counts: make(map[int32]int), holds: make([]bool, len(sets)),
		places: newForest(len(sets)), pending: make(map[int32]bool), states: make(map[setID]setID), sets: sets,
	}
	for i, s := range sets {
		for _, e := range d.edges[s] {
			w.edges = append(w.edges, setEdge{e, int32(i)})
		}
	}
	slices.SortFunc(w.edges, func(a, b setEdge) int {
		return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.set, b.set), inFirst(a.in, b.in))
	})
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

// setEdge is an edge of a set of the rules, by its position among these.
type setEdge struct {
	edge
	set int32
}

// walk traverses the networks in order, entering and leaving each.
type walk struct {
	*direction
	sets  []int32 // those of the rules, by position
	edges []setEdge
	// inside are the enclosing networks, with the changes to undo after each.
	inside []entered
	// holds says which sets contain the current place, as place does, a set of
	// positions.
	holds  []bool
	place  setID
	places *forest
	// states has the state of each place so far. Rules are counted for new ones
	// only, so a set of many rules and many networks costs their sum.
	states map[setID]setID
	// counts says through how many sets each rule matches in the state counted;
	// since then the sets that are pending have changed.
	counts  map[int32]int
	counted setID
	pending map[int32]bool
	out     []stretch
}

type entered struct {
	network int
	before  setID // the place
	flipped []int32
}

func (w *walk) end(at int) {
	state := w.state()
	if n := len(w.out); n > 0 && w.out[n-1].state == state {
		w.out[n-1].end = at
		return
	}
	w.out = append(w.out, stretch{at, state})
}

func (w *walk) enter(at int) {
	e := entered{network: at, before: w.place}
	for len(w.edges) > 0 && int(w.edges[0].network) == at {
		x := w.edges[0]
		w.edges = w.edges[1:]
		if w.holds[x.set] != x.in {
			e.flipped = append(e.flipped, x.set)
			w.flip(x.set)
		}
	}
	changes := make([]change, 0, len(e.flipped))
	for _, set := range e.flipped {
		changes = append(changes, change{set, w.holds[set]})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	w.place = w.places.with(w.place, changes)
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
		w.place = e.before
		for _, set := range slices.Backward(e.flipped) {
			w.flip(set)
		}
	}
}

// behind returns the first network after the given one and all those inside it.
func (w *walk) behind(at int) int {
	p := w.nets[at].prefix
	return at + sortedPrefix(w.nets[at:], func(n network) bool { return p.Contains(n.prefix.Addr()) })
}

// flip adds the place to a set or removes it.
func (w *walk) flip(set int32) {
	w.holds[set] = !w.holds[set]
	if w.pending[set] {
		delete(w.pending, set)
	} else {
		w.pending[set] = true
	}
}

// state returns the rules that match the place.
func (w *walk) state() setID {
	if s, known := w.states[w.place]; known {
		return s
	}
	before := make(map[int32]bool)
	for set := range w.pending {
		for _, rule := range w.bySet[w.sets[set]] {
			if _, seen := before[rule]; !seen {
				before[rule] = w.counts[rule] > 0
			}
			if w.holds[set] {
				w.counts[rule]++
			} else {
				w.counts[rule]--
			}
		}
	}
	clear(w.pending)
	changes := make([]change, 0, len(before))
	for rule, matched := range before {
		if matches := w.counts[rule] > 0; matches != matched {
			changes = append(changes, change{rule, matches})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	w.counted = w.rules.with(w.counted, changes)
	w.states[w.place] = w.counted
	return w.counted
}
