package ipam

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir/diag"
)

// settle finds pools that overlap themselves or an older pool that stays. They give no new
// address; who has one keeps it. The pools are the oldest first.
func settle(pools []*pool, diags *diag.List) {
	placed := newPlaced(pools)
	for _, p := range pools {
		if why := placed.conflict(p); why != "" {
			p.conflict = why
			diags.Add(diag.PoolConflict, p.at, why+": it gives no new address")
			continue
		}
		for _, b := range p.blocks {
			placed.put(b.span, p)
		}
	}
}

// placed are disjoint spans with their pools. Whether a new one meets them is asked of two
// trees of counts over all ends, so that it costs the logarithm of their number.
type placed struct {
	// at are the ends of all spans, sorted; others is where IPv6 begins, which netip sorts last.
	at []netip.Addr
	// begun and ended count the spans that begin, and end, at each place.
	begun, ended counts
	// owner is the pool of the span that begins at a place.
	owner map[int]*pool
	spans map[int]span
}

func newPlaced(pools []*pool) *placed {
	p := &placed{owner: make(map[int]*pool), spans: make(map[int]span)}
	for _, pool := range pools {
		for _, b := range pool.blocks {
			p.at = append(p.at, b.lo, b.hi)
		}
	}
	slices.SortFunc(p.at, netip.Addr.Compare)
	p.at = slices.Compact(p.at)
	p.begun, p.ended = make(counts, len(p.at)+1), make(counts, len(p.at)+1)
	return p
}

func (p *placed) index(a netip.Addr) int {
	i, _ := slices.BinarySearchFunc(p.at, a, netip.Addr.Compare)
	return i
}

func (p *placed) put(s span, of *pool) {
	lo, hi := p.index(s.lo), p.index(s.hi)
	p.begun.add(lo)
	p.ended.add(hi)
	p.owner[lo], p.spans[lo] = of, s
}

// meeting returns a placed span that has an address in common with s, and its pool, or nil.
func (p *placed) meeting(s span) (span, *pool) {
	lo, hi := p.index(s.lo), p.index(s.hi)
	before := p.begun.below(hi + 1)  // begin up to its end
	if before == p.ended.below(lo) { // and all of them end before it begins
		return span{}, nil
	}
	last := p.begun.find(before)
	return p.spans[last], p.owner[last]
}

// conflict says why a pool cannot be placed, or "".
func (p *placed) conflict(of *pool) string {
	own := make([]span, 0, len(of.blocks))
	for _, b := range of.blocks {
		if other, owner := p.meeting(b.span); owner != nil {
			return fmt.Sprintf("%s overlaps %s of %s, which is older or sorts first", b.span, other, owner.name)
		}
		own = append(own, b.span)
	}
	slices.SortFunc(own, func(a, b span) int { return a.lo.Compare(b.lo) })
	for i := 1; i < len(own); i++ {
		if own[i].meets(own[i-1]) {
			return fmt.Sprintf("its own %s and %s overlap", own[i-1], own[i])
		}
	}
	return ""
}

// counts is a Fenwick tree: numbers of which any prefix is summed in logarithmic time.
type counts []int

// add counts one at i.
func (c counts) add(i int) {
	for i++; i < len(c); i += i & -i {
		c[i]++
	}
}

// below returns how many are counted before i.
func (c counts) below(i int) (n int) {
	for ; i > 0; i -= i & -i {
		n += c[i]
	}
	return n
}

// find returns the place of the nth that is counted, n from 1.
func (c counts) find(n int) int {
	step := 1
	for step*2 < len(c) {
		step *= 2
	}
	at := 0
	for ; step > 0; step /= 2 {
		if at+step < len(c) && c[at+step] < n {
			at += step
			n -= c[at]
		}
	}
	return at
}
