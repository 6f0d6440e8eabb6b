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
			if !x.divisible(c) {
				first.elems = append(first.elems, x)
				continue
			}
			for i, part := range x.set.Elems.divide(sizes) {
				later[i].elems = append(later[i].elems, elemChange{set: x.set, part: part, names: x.names})
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
	room := 0
	for _, part := range out {
		room = max(room, part.encodedSize())
	}
	for _, part := range out {
		part.room = room
	}
	return out
}

// partSizes are the numbers of elements that a set has after each part.
func partSizes(p *Plan) (sizes []int) {
	most := 0
	for _, c := range p.changes {
		for i := range c.elems {
			if x := &c.elems[i]; x.divisible(c) {
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

// divisible reports whether the change fills a large hash table. Maps to verdicts are only divided in
// a new table, whose base chains have no rules yet: the kernel looks at all of their elements in each
// transaction that adds one, as far as rules of base chains lead to them (nft_table_validate).
func (x *elemChange) divisible(of *tableChange) bool {
	if x.set.verdicts() && !(of.create && of.inert) {
		return false
	}
	return x.whole && !x.set.interval() && x.set.Size == 0 && x.set.Elems.n >= 2*firstPart
}

// span is a part of a set's elements: n of them, between two places.
type span struct {
	begin, end uint32
	n          int
}

// divide returns the elements in parts, in their order. Each size is what the parts up to
// one have together; the last one has all elements.
func (e *Elements) divide(sizes []int) []span {
	if e.runs != nil {
		return e.runs.divide(e, sizes)
	}
	var parts []span
	part, n := span{}, 0
	for place := range e.all() {
		if n == sizes[len(parts)] {
			part.end = place
			parts = append(parts, part)
			part = span{begin: place}
		}
		part.n++
		n++
	}
	part.end = uint32(len(e.blob))
	return append(parts, part)
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
