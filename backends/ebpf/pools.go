package ebpf

import (
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// layPools writes the endpoints of every used pool into ep and ep_ok, in the order
// of the pools' IDs. It writes each pool once, regardless of the number of routes
// that use it.
func (b *builder) layPools() {
	used := make(map[string]bool, len(b.pools))
	n := 0
	for _, f := range b.frontends {
		for _, id := range [...]string{f.Internal.Pool, f.External.Pool} {
			if !used[id] {
				used[id] = true
				n += len(b.pools[id].Endpoints)
			}
		}
	}
	b.tables[layout.Endpoints].grow(n)
	b.tables[layout.Members].grow(n)
	for i := range b.program.Pools {
		if pool := &b.program.Pools[i]; used[pool.ID] && len(pool.Endpoints) > 0 {
			b.layPool(pool)
		}
	}
}

func (b *builder) layPool(pool *ir.Pool) {
	eps, members := &b.tables[layout.Endpoints], &b.tables[layout.Members]
	base := uint32(eps.Len())
	total, _ := totalWeight(pool)
	r := layout.Route{Base: base, Count: uint32(len(pool.Endpoints)), Total: total}
	slots := aliasTable(pool.Endpoints, total)
	if !sameWeights(pool.Endpoints) {
		r.Flags |= layout.RouteWeighted
	}
	b.routes[pool.ID] = r
	if b.symbols != nil {
		b.symbols.pool(base, pool)
	}
	for i := range pool.Endpoints {
		e := &pool.Endpoints[i]
		out := layout.Endpoint{
			Address: layout.AddressOf(e.Address.Addr()), Port: layout.PortOf(e.Address.Port()),
			Threshold: slots[i].threshold, Alias: slots[i].alias, Weight: uint32(e.Weight),
		}
		if e.Local {
			out.Flags |= layout.EndpointLocal
		}
		eps.data = out.Append(eps.data)
		key := layout.MemberKey{Pool: layout.BE32Of(base), Address: out.Address, Port: out.Port}
		members.data = layout.AppendIndex(key.Append(members.data), base+uint32(i))
	}
}
