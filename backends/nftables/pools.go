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
	byID map[string]int
	// routes are the pools of each frontend: of its internal and its external route.
	routes [][2]int32
	pools  []ir.Pool
	slots  [][]netip.AddrPort
	arranger
}

func newPoolIndex(p *ir.Program) (*poolIndex, error) {
	x := &poolIndex{byID: make(map[string]int, len(p.Pools)), pools: p.Pools, slots: make([][]netip.AddrPort, len(p.Pools))}
	for i := range p.Pools {
		x.byID[p.Pools[i].ID] = i
	}
	x.routes = make([][2]int32, len(p.Frontends))
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for k, r := range []*ir.Route{&f.Internal, &f.External} {
			if k == 1 && r.Pool == f.Internal.Pool {
				x.routes[i][1] = x.routes[i][0]
				continue
			}
			at, ok := x.byID[r.Pool]
			if !ok {
				return nil, fmt.Errorf("frontend %q: pool %q does not exist", f.ID, r.Pool)
			}
			x.routes[i][k] = int32(at)
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
func (x *poolIndex) get(id string) (c choice, ok bool) { return x.at(x.byID[id]) }

// of is get of both routes of a frontend, by its index.
func (x *poolIndex) of(frontend int) (internal, external choice, ok bool) {
	at := x.routes[frontend]
	internal, ok = x.at(int(at[0]))
	if at[0] == at[1] {
		return internal, internal, ok
	}
	external, ok2 := x.at(int(at[1]))
	return internal, external, ok && ok2
}

func (x *poolIndex) at(i int) (c choice, ok bool) {
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
