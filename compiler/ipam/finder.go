package ipam

import (
	"net/netip"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// Finder tells which pool has an address.
type Finder struct{ index *index }

// NewFinder reads the pools of a set. What is wrong with them is said by [Allocate].
func NewFinder(set *objects.Set) *Finder {
	var unsaid diag.List
	return &Finder{newIndex(readPools(set, &unsaid))}
}

// Pool returns the pool that has an address, and whether there is one. Of pools that overlap it
// is one without a conflict, or else the first.
func (f *Finder) Pool(a netip.Addr) (PoolName, bool) {
	places := f.index.of(a)
	if len(places) == 0 {
		return PoolName{}, false
	}
	return places[0].pool.name, true
}

// Covers reports whether one pool has all addresses of a network in one block.
func (f *Finder) Covers(p netip.Prefix) bool {
	first := p.Masked().Addr()
	for _, x := range f.index.of(first) {
		if last := lastOf(p); x.has(last) {
			return true
		}
	}
	return false
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}
