package nftables

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// maxSlots bounds the indexes of a pool: the modulus in the key type of the
// endpoints maps.
const maxSlots = 65536

// poolIndex finds pools by ID and keeps their arrangement, which frontends
// share.
type poolIndex struct {
	byID  map[string]int
	pools []ir.Pool
	slots [][]netip.AddrPort
	arranger
}

func newPoolIndex(p *ir.Program) (*poolIndex, error) {
	x := &poolIndex{byID: make(map[string]int, len(p.Pools)), pools: p.Pools, slots: make([][]netip.AddrPort, len(p.Pools))}
	for i := range p.Pools {
		x.byID[p.Pools[i].ID] = i
	}
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for _, r := range []*ir.Route{&f.Internal, &f.External} {
			if _, ok := x.byID[r.Pool]; !ok {
				return nil, fmt.Errorf("frontend %q: pool %q does not exist", f.ID, r.Pool)
			}
		}
	}
	return x, nil
}

// choice is one pool, arranged.
type choice struct {
	pool  *ir.Pool
	slots []netip.AddrPort
}

// get returns the arranged pool of a route; ok is false if Check reports the
// pool.
func (x *poolIndex) get(id string) (c choice, ok bool) {
	i := x.byID[id]
	pool := &x.pools[i]
	if len(pool.Endpoints) > 0 && x.slots[i] == nil {
		if n, _ := slotCount(pool); n > maxSlots {
			return choice{}, false
		}
		x.slots[i] = x.arrange(pool.Endpoints)
	}
	return choice{pool: pool, slots: x.slots[i]}, true
}

// same reports whether both choices have the same effect on packets.
func (c choice) same(d choice) bool {
	return c.pool == d.pool || slices.Equal(c.slots, d.slots)
}
