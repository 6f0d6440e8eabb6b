package resolve

import "slices"

// setID identifies a set of a forest; 0 is the empty set. Equal sets have equal IDs.
type setID int32

// forest stores sets of small numbers that are often nearly equal, such as
// "every network but one", ten thousand times. A set is a binary tree over the
// bits of its numbers, and equal subtrees are stored once, so a set that
// differs from another one in a few numbers costs a few nodes.
type forest struct {
	// depth is the number of bits of the numbers.
	depth int
	// nodes holds the two halves of each set. The empty set and the singletons,
	// which come first, have none.
	nodes [][2]setID
	index map[[2]setID]setID
}

// change adds a number to a set, or removes it.
type change struct {
	number int32
	in     bool
}

// newForest returns a forest for numbers below size.
func newForest(size int) *forest {
	f := &forest{nodes: make([][2]setID, size+1), index: make(map[[2]setID]setID)}
	for 1<<f.depth < size {
		f.depth++
	}
	return f
}

// with returns a set after some changes, which are sorted by number; of
// several changes of one number, the last counts.
func (f *forest) with(set setID, changes []change) setID { return f.change(set, f.depth, changes) }

func (f *forest) change(set setID, level int, changes []change) setID {
	if len(changes) == 0 {
		return set
	}
	if level == 0 {
		if last := changes[len(changes)-1]; last.in {
			return setID(last.number + 1)
		}
		return 0
	}
	upper := slices.IndexFunc(changes, func(c change) bool { return c.number>>(level-1)&1 == 1 })
	if upper < 0 {
		upper = len(changes)
	}
	halves := f.nodes[set]
	return f.pair(f.change(halves[0], level-1, changes[:upper]), f.change(halves[1], level-1, changes[upper:]))
}

// of returns the set of the given, sorted numbers.
func (f *forest) of(numbers []int32) setID {
	changes := make([]change, len(numbers))
	for i, n := range numbers {
		changes[i] = change{n, true}
	}
	return f.with(0, changes)
}

func (f *forest) pair(lower, upper setID) setID {
	if lower == 0 && upper == 0 {
		return 0
	}
	key := [2]setID{lower, upper}
	id, known := f.index[key]
	if !known {
		id = setID(len(f.nodes))
		f.nodes, f.index[key] = append(f.nodes, key), id
	}
	return id
}

// union costs at most the size of the smaller set.
func (f *forest) union(a, b setID) setID {
	switch {
	case a == b || b == 0:
		return a
	case a == 0:
		return b
	}
	x, y := f.nodes[a], f.nodes[b]
	return f.pair(f.union(x[0], y[0]), f.union(x[1], y[1]))
}

// each yields the numbers of a set in order, until yield returns false.
func (f *forest) each(set setID, yield func(int32) bool) bool {
	if set == 0 {
		return true
	}
	if halves := f.nodes[set]; halves != [2]setID{} {
		return f.each(halves[0], yield) && f.each(halves[1], yield)
	}
	return yield(int32(set - 1))
}

// compare orders sets as [slices.Compare] orders the sorted lists of their
// numbers.
func (f *forest) compare(a, b setID) int {
	if a == b {
		return 0
	}
	// The sets first differ at the least number that only one of them has; more
	// is whether a set has greater numbers.
	moreA, moreB := false, false
	for range f.depth {
		x, y := f.nodes[a], f.nodes[b]
		if x[0] == y[0] {
			a, b = x[1], y[1]
			continue
		}
		moreA, moreB = moreA || x[1] != 0, moreB || y[1] != 0
		a, b = x[0], y[0]
	}
	if a != 0 && moreB || a == 0 && !moreA {
		return -1
	}
	return 1
}
