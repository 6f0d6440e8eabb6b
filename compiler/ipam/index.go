package ipam

import (
	"net/netip"
	"slices"
	"sort"
)

// place is a block of a pool.
type place struct {
	*block
	pool *pool
}

// index finds the pools that have an address.
type index struct {
	// apart are the blocks of pools without a conflict, which do not overlap, sorted.
	apart []place
	// mixed are the blocks of the others, sorted by their beginning, and reach is the last
	// address of each and all before it, in its family.
	mixed []place
	reach []netip.Addr
}

func newIndex(pools []*pool) *index {
	x := &index{}
	for _, p := range pools {
		for _, b := range p.blocks {
			if p.conflict == "" {
				x.apart = append(x.apart, place{b, p})
			} else {
				x.mixed = append(x.mixed, place{b, p})
			}
		}
	}
	byStart := func(a, b place) int { return a.lo.Compare(b.lo) }
	slices.SortFunc(x.apart, byStart)
	slices.SortStableFunc(x.mixed, byStart)
	for i, m := range x.mixed {
		last := m.hi
		if i > 0 && last.Less(x.reach[i-1]) {
			last = x.reach[i-1] // of the same family: all of IPv4 sort before all of IPv6
		}
		x.reach = append(x.reach, last)
	}
	return x
}

// of returns the places of an address, that of a pool without a conflict first. A pool that
// avoids the address does not have it.
func (x *index) of(a netip.Addr) []place {
	var out []place
	add := func(p place) {
		if p.has(a) && (!p.pool.avoidBuggy || !buggy(a)) {
			out = append(out, p)
		}
	}
	if i := upTo(x.apart, a); i > 0 {
		add(x.apart[i-1])
	}
	for i := upTo(x.mixed, a); i > 0 && !x.reach[i-1].Less(a); i-- {
		add(x.mixed[i-1])
	}
	return out
}

// upTo returns how many of the sorted places begin at the address or before.
func upTo(places []place, a netip.Addr) int {
	return sort.Search(len(places), func(i int) bool { return a.Less(places[i].lo) })
}
