package live

import "time"

// firstPart is how many elements of a large set its first transaction adds: just more than
// make the kernel double a hash table of 4,096 places (rht_grow_above_75 in
// include/linux/rhashtable.h). Each further one fills the table up to the next doubling.
const firstPart = 4096/4*3 + 1

// parts divides the addition of new content, which no packet can reach yet, into transactions
// between which the kernel's hash tables grow. Within one the kernel adds elements faster than
// it moves them into a larger table, and as long as both tables are in use, an element costs
// twice as much (rhashtable_insert_slow in lib/rhashtable.c).
func (p *Plan) parts() []*Plan {
	sizes := partSizes(p)
	if len(sizes) < 2 {
		return []*Plan{p}
	}
	out := make([]*Plan, len(sizes))
	for i := range out {
		out[i] = &Plan{want: p.want, generation: following(p.generation, i), observed: p.observed}
	}
	for _, c := range p.changes {
		first := *c
		first.elems = nil
		later := make([]tableChange, len(sizes))
		for _, x := range c.elems {
			if !x.divisible() {
				first.elems = append(first.elems, x)
				continue
			}
			for i, part := range x.divide(sizes) {
				later[i].elems = append(later[i].elems, part)
			}
		}
		first.elems = append(first.elems, later[0].elems...)
		out[0].changes = append(out[0].changes, &first)
		for i := 1; i < len(out); i++ {
			if len(later[i].elems) > 0 {
				out[i].changes = append(out[i].changes, &tableChange{family: c.family, elems: later[i].elems})
			}
		}
	}
	return out
}

// partSizes are the numbers of elements that a set has after each part.
func partSizes(p *Plan) (sizes []int) {
	most := 0
	for _, c := range p.changes {
		for i := range c.elems {
			if x := &c.elems[i]; x.divisible() {
				most = max(most, x.set.Elems.n)
			}
		}
	}
	for n := firstPart; most > 0; n = 2*n - 1 {
		sizes = append(sizes, n)
		if n >= most {
			return sizes
		}
	}
	return sizes
}

// divisible reports whether the change fills a large hash table. Maps to verdicts are left out,
// because the kernel may look at all of their elements in each transaction.
func (c *elemChange) divisible() bool {
	return c.whole && !c.set.interval() && !c.set.verdicts() && c.set.Size == 0 && c.set.Elems.n >= 2*firstPart
}

// divide returns the parts of a whole change, in the order of the elements.
func (c *elemChange) divide(sizes []int) []elemChange {
	from := &Set{Name: c.set.Name, Elems: Elements{keyLen: c.set.Elems.keyLen}}
	// The parts share one piece of memory for their places.
	places := make([]uint32, 0, c.set.Elems.n)
	for place := range c.set.Elems.all() {
		places = append(places, place)
	}
	var parts []elemChange
	for begin := 0; begin < len(places); begin = sizes[len(parts)-1] {
		end := min(sizes[len(parts)], len(places))
		parts = append(parts, elemChange{set: c.set, from: from, add: places[begin:end:end], names: c.names})
	}
	return parts
}

// awaitGrowth gives the kernel time to move the elements of a set of this size into a larger
// table. If that takes longer, the next elements cost more, and nothing else happens.
func awaitGrowth(elements int) {
	const perElement = 100 * time.Nanosecond
	time.Sleep(time.Millisecond + time.Duration(elements)*perElement)
}

// following is the generation after some transactions; the kernel leaves out 0.
func following(generation uint32, transactions int) uint32 {
	for range transactions {
		generation = max(generation+1, 1)
	}
	return generation
}
