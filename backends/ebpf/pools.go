package ebpf

import (
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// pool is a pool of the program as routes have it.
type pool struct {
	endpoints []layout.Endpoint
	// route has what all routes to the pool share.
	route layout.Route
	ir    *ir.Pool
}

// poolOf returns a pool by its ID. It is made once, regardless of the number of routes to it.
func (b *builder) poolOf(id string) *pool {
	if p := b.made[id]; p != nil {
		return p
	}
	p := &pool{ir: b.pools[id]}
	b.made[id] = p
	list := p.ir.Endpoints
	if len(list) == 0 {
		return p
	}
	total, _ := totalWeight(p.ir)
	slots := aliasTable(list, total)
	p.route = layout.Route{Count: uint32(len(list)), Total: total}
	if !sameWeights(list) {
		p.route.Flags |= layout.RouteWeighted
	}
	p.endpoints = make([]layout.Endpoint, len(list))
	for i := range list {
		e := &list[i]
		p.endpoints[i] = layout.Endpoint{
			Address: layout.AddressOf(e.Address.Addr()), Port: layout.PortOf(e.Address.Port()),
			Threshold: slots[i].threshold, Alias: slots[i].alias, Weight: uint32(e.Weight),
		}
		if e.Local {
			p.endpoints[i].Flags |= layout.EndpointLocal
		}
	}
	return p
}

// row is a key of svc and the place of its frontend; addressRow is an address of a ClusterIP.
type row struct {
	key layout.ServiceKey
	at  int32
}

const addressRow = -1

// rows are those of svc in the order of their keys: of the frontends, and of the addresses of
// ClusterIPs. They are sorted before entries are made, which are ten times as long.
func (b *builder) rows() []row {
	list := make([]row, 0, len(b.frontends)+len(b.program.ClusterIPs))
	for i, f := range b.frontends {
		list = append(list, row{serviceKey(f.Match), int32(i)})
	}
	addresses := len(list)
	for _, a := range b.program.ClusterIPs {
		list = append(list, row{layout.AddressKey(a), addressRow})
	}
	compare := func(x, y row) int { return x.key.Compare(y.key) }
	slices.SortFunc(list[addresses:], compare)
	list = append(list[:addresses], slices.Compact(list[addresses:])...)
	slices.SortFunc(list, compare)
	return list
}

// entry is the entry of svc of a frontend.
func (b *builder) entry(key layout.ServiceKey, f *ir.Frontend) layout.Entry {
	internal, external := b.poolOf(f.Internal.Pool), b.poolOf(f.External.Pool)
	return layout.Entry{Key: key, Content: layout.Content{
		Service: layout.Service{
			ID: b.ids.of(f.Service), Internal: route(internal, f.Internal), External: route(external, f.External),
			Affinity: f.Affinity, Kind: uint8(f.Kind),
		},
		InternalPool: internal.endpoints, ExternalPool: external.endpoints, SourceRanges: f.SourceRanges,
	}}
}

// layServices writes svc, ep and source.
func (b *builder) layServices() {
	rows := b.rows()
	l := newServiceLayer(&b.tables, len(rows))
	n := 0
	for i := range b.program.Pools {
		n += len(b.program.Pools[i].Endpoints)
	}
	l.ep.grow(n)
	address := layout.Entry{Content: layout.Content{Service: layout.Service{Kind: layout.KindAddress}}}
	for i, r := range rows {
		if r.at == addressRow {
			address.Key = r.key
			l.add(&address)
			continue
		}
		f := b.frontends[r.at]
		e := b.entry(r.key, f)
		s := l.add(&e)
		if b.symbols == nil {
			continue
		}
		b.symbols.service(uint32(i), f)
		b.symbols.route(uint32(i), false, s.Internal.Base, b.pools[f.Internal.Pool])
		b.symbols.route(uint32(i), true, s.External.Base, b.pools[f.External.Pool])
		if s.sources {
			b.symbols.source(s.Sources, f)
		}
	}
	b.info.Features |= l.features
}

// route returns a route: the fields of its pool, and those of r.
func route(p *pool, r ir.Route) layout.Route {
	out := p.route
	switch r.Masquerade {
	case ir.MasqueradeUnlessLocalSource:
		out.Masquerade = layout.MasqueradeUnlessLocalSource
	case ir.MasqueradeAlways:
		out.Masquerade = layout.MasqueradeAlways
	}
	if r.OnEmpty == ir.Drop {
		out.OnEmpty = layout.EmptyDrop
	}
	return out
}
