package ebpf

import (
	"iter"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// laidPool is a pool of the program that is in ep.
type laidPool struct {
	done bool
	base uint32
	// route has what all routes to the pool share.
	route layout.Route
}

// poolAt returns a pool by its place in the program. It is laid out once, regardless of the number of
// routes to it.
func (b *builder) poolAt(l *serviceLayer, at int32) *laidPool {
	p := &b.laid[at]
	if p.done {
		return p
	}
	p.done = true
	pool := &b.program.Pools[at]
	list := pool.Endpoints
	if len(list) == 0 {
		return p
	}
	total, _ := totalWeight(pool)
	p.route = layout.Route{Count: uint32(len(list)), Total: total}
	if !sameWeights(list) {
		p.route.Flags |= layout.RouteWeighted
	}
	b.decide(list, total)
	p.base = l.pool(b.endpoints)
	return p
}

// decide puts the endpoints of a pool, with their slots of the alias table, into b.endpoints.
func (b *builder) decide(list []ir.Endpoint, total uint32) {
	b.slots = aliasTable(list, total, b.slots[:0])
	b.endpoints = b.endpoints[:0]
	for i := range list {
		e := &list[i]
		out := layout.Endpoint{
			Address: layout.AddressOf(e.Address.Addr()), Port: layout.PortOf(e.Address.Port()),
			Threshold: b.slots[i].threshold, Alias: b.slots[i].alias, Weight: uint32(e.Weight),
		}
		if e.Local {
			out.Flags |= layout.EndpointLocal
		}
		b.endpoints = append(b.endpoints, out)
	}
}

// row is a key of svc and the place of its frontend; addressRow is an address of a ClusterIP.
type row struct {
	key layout.ServiceKey
	at  int32
}

const addressRow = -1

// rows are those of svc, of each kind in the order of their keys: of the frontends, and of the
// addresses of ClusterIPs. They are sorted before entries are made, which are three times as long, and each kind
// alone: the addresses of a program have nearly the order of their keys.
func (b *builder) rows() (frontends, addresses []row) {
	frontends, addresses = make([]row, len(b.program.Frontends)), make([]row, len(b.program.ClusterIPs))
	for i := range frontends {
		frontends[i] = row{serviceKey(&b.program.Frontends[i].Match), int32(i)}
	}
	for i, a := range b.program.ClusterIPs {
		addresses[i] = row{layout.AddressKey(a), addressRow}
	}
	slices.SortFunc(frontends, row.compare)
	slices.SortFunc(addresses, row.compare)
	return frontends, slices.Compact(addresses)
}

func (r row) compare(o row) int { return r.key.Compare(o.key) }

// merged yields the rows of two sorted lists, in order and numbered.
func merged(a, b []row) iter.Seq2[uint32, row] {
	return func(yield func(uint32, row) bool) {
		for n := uint32(0); len(a)+len(b) > 0; n++ {
			from := &a
			if len(a) == 0 || len(b) > 0 && b[0].compare(a[0]) < 0 {
				from = &b
			}
			next := (*from)[0]
			if *from = (*from)[1:]; !yield(n, next) {
				return
			}
		}
	}
}

// service is the value of svc of the frontend with an index, but for its source ranges.
func (b *builder) service(l *serviceLayer, at int32) layout.Service {
	f := &b.program.Frontends[at]
	internal, external := b.poolAt(l, b.routes[at][0]), b.poolAt(l, b.routes[at][1])
	return layout.Service{
		ID: b.ids.of(&f.Service), Internal: internal.routeOf(&f.Internal), External: external.routeOf(&f.External),
		Affinity: f.Affinity, Kind: uint8(f.Kind),
	}
}

// layServices writes svc, ep and source.
func (b *builder) layServices() {
	frontends, addresses := b.rows()
	endpoints := 0
	for i := range b.program.Pools {
		endpoints += len(b.program.Pools[i].Endpoints)
	}
	b.sheet, b.tables[layout.Services].data, b.tables[layout.Endpoints].data = newSheet(b.policy.polices(), len(frontends)+len(addresses), endpoints)
	l := newServiceLayer(&b.tables, len(frontends)+len(addresses), len(b.program.Pools))
	for i, r := range merged(frontends, addresses) {
		if r.at == addressRow {
			l.write(r.key, layout.Service{Kind: layout.KindAddress}, nil)
			continue
		}
		f := &b.program.Frontends[r.at]
		s := l.write(r.key, b.service(l, r.at), f.SourceRanges)
		if b.symbols != nil {
			b.symbolsOf(i, r.at, s)
		}
	}
	b.info.Features |= l.features
}

// symbolsOf names what was written for a frontend.
func (b *builder) symbolsOf(entry uint32, at int32, s laid) {
	f, routes := &b.program.Frontends[at], b.routes[at]
	b.symbols.service(entry, f)
	b.symbols.route(entry, false, s.Internal.Base, &b.program.Pools[routes[0]])
	b.symbols.route(entry, true, s.External.Base, &b.program.Pools[routes[1]])
	if s.sources {
		b.symbols.source(s.Sources, f)
	}
}

// routeOf returns a route to the pool: its place, the fields of the pool, and those of r.
func (p *laidPool) routeOf(r *ir.Route) layout.Route {
	out := p.route
	out.Base = p.base
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
