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
