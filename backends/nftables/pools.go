package nftables

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// maxSlots bounds the indexes of a pool: the modulus in the key type of the
// endpoints maps.
const maxSlots = 65536

// poolIndex finds the pools of frontends and keeps their arrangement, which frontends
// share.
type poolIndex struct {
	// routes are those of [backends.Routes].
	routes [][2]int32
	pools  []ir.Pool
	slots  [][]netip.AddrPort
	arranger
}

func newPoolIndex(p *ir.Program, routes *backends.Routes) (*poolIndex, error) {
	of, err := routes.Of(p)
	if err != nil {
		return nil, err
	}
	return &poolIndex{routes: of, pools: p.Pools, slots: make([][]netip.AddrPort, len(p.Pools))}, nil
}

// choice is one pool, arranged.
type choice struct {
	pool  *ir.Pool
	slots []netip.AddrPort
}

// of returns the arranged pools of both routes of a frontend, by its index; ok is false if Check
// reports one of them.
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
		if _, fits := fitting(pool); !fits {
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
