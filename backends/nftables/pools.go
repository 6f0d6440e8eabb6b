package nftables

import (
	"net/netip"

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
	// slots are the parts of arranger.all that pools have; one without a part is not arranged yet.
	slots []part
	arranger
}

// part is a part of a list: n from begin on.
type part struct{ begin, n uint32 }

func newPoolIndex(p *ir.Program, routes *backends.Routes) (*poolIndex, error) {
	of, err := routes.Of(p)
	if err != nil {
		return nil, err
	}
	n := 0
	for i := range p.Pools {
		n += len(p.Pools[i].Endpoints) // with weights there may be more indexes
	}
	x := &poolIndex{routes: of, pools: p.Pools, slots: make([]part, len(p.Pools))}
	x.all = make([]uint16, 0, n)
	return x, nil
}

// choice is one pool, arranged.
type choice struct {
	pool *ir.Pool
	// at is the place of the pool in the program.
	at int32
	// slots are the endpoints of indexes, as places in the pool.
	slots []uint16
}

// endpoint returns the endpoint of an index.
func (c *choice) endpoint(index int) netip.AddrPort {
	return c.pool.Endpoints[c.slots[index]].Address
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
	pool, is := &x.pools[i], x.slots[i]
	if len(pool.Endpoints) > 0 && is.n == 0 {
		if _, fits := fitting(pool); !fits {
			return choice{}, false
		}
		is.begin = uint32(len(x.all))
		is.n = uint32(len(x.arrange(pool.Endpoints)))
		x.slots[i] = is
	}
	return choice{pool: pool, at: int32(i), slots: x.all[is.begin : is.begin+is.n]}, true
}

// same reports whether both choices have the same effect on packets.
func (c *choice) same(d *choice) bool {
	if c.pool == d.pool || len(c.slots) != len(d.slots) {
		return c.pool == d.pool
	}
	for i := range c.slots {
		if c.endpoint(i) != d.endpoint(i) {
			return false
		}
	}
	return true
}
