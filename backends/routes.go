package backends

import (
	"fmt"

	"github.com/planec/planec/ir"
)

// Routes finds the pools that routes of a program lead to. The zero value has found none. All that
// emit one program can share it, so that each pool is looked up once.
type Routes struct {
	of    *ir.Program
	pools [][2]int32
}

// Of returns the pools of each frontend's internal and external route, as places in p.Pools. A
// program must not change between two calls.
func (r *Routes) Of(p *ir.Program) ([][2]int32, error) {
	if r.of == p {
		return r.pools, nil
	}
	find := poolFinder{pools: p.Pools}
	out := make([][2]int32, len(p.Frontends))
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for k, route := range [...]*ir.Route{&f.Internal, &f.External} {
			at, ok := find.at(route.Pool)
			if !ok {
				return nil, fmt.Errorf("service %v: frontend %v: pool %q does not exist", f.Service, f.Match, route.Pool)
			}
			out[i][k] = int32(at)
		}
	}
	r.of, r.pools = p, out
	return out, nil
}

// poolFinder finds pools by ID. Frontends and pools have the order of IDs that begin with their
// Service, so most routes lead to the pool that was found last or to the next one; only the others
// need the map.
type poolFinder struct {
	pools []ir.Pool
	last  int
	byID  map[string]int
}

func (x *poolFinder) at(id string) (at int, ok bool) {
	for at := x.last; at < min(x.last+2, len(x.pools)); at++ {
		if x.pools[at].ID == id {
			x.last = at
			return at, true
		}
	}
	if x.byID == nil {
		x.byID = make(map[string]int, len(x.pools))
		for i := range x.pools {
			x.byID[x.pools[i].ID] = i
		}
	}
	if at, ok = x.byID[id]; ok {
		x.last = at
	}
	return at, ok
}
