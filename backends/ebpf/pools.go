package ebpf

import (
	"net/netip"
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

// frontendEntry is an entry of svc and the frontend that it is of; nil for an address of a
// ClusterIP.
type frontendEntry struct {
	layout.Entry
	frontend *ir.Frontend
}

// entries are those of svc: the frontends, and the addresses of ClusterIPs.
func (b *builder) entries() []frontendEntry {
	list := make([]frontendEntry, 0, len(b.frontends)+len(b.program.ClusterIPs))
	for _, f := range b.frontends {
		internal, external := b.poolOf(f.Internal.Pool), b.poolOf(f.External.Pool)
		e := layout.Entry{Key: serviceKey(f.Match), Content: layout.Content{
			Service: layout.Service{
				ID: b.ids.of(f.Service), Internal: route(internal, f.Internal), External: route(external, f.External),
				Affinity: f.Affinity, Kind: uint8(f.Kind),
			},
			InternalPool: internal.endpoints, ExternalPool: external.endpoints, SourceRanges: f.SourceRanges,
		}}
		list = append(list, frontendEntry{e, f})
	}
	known := make(map[netip.Addr]bool, len(b.program.ClusterIPs))
	for _, a := range b.program.ClusterIPs {
		if known[a] {
			continue
		}
		known[a] = true
		c := layout.Content{Service: layout.Service{Kind: layout.KindAddress}}
		list = append(list, frontendEntry{Entry: layout.Entry{Key: layout.AddressKey(a), Content: c}})
	}
	return list
}

// byKey returns the places of entries in the order of their keys. It moves the keys alone:
// an entry is ten times as long.
func byKey(entries []frontendEntry) []int32 {
	type row struct {
		key layout.ServiceKey
		at  int32
	}
	rows := make([]row, len(entries))
	for i := range entries {
		rows[i] = row{entries[i].Key, int32(i)}
	}
	slices.SortFunc(rows, func(x, y row) int { return x.key.Compare(y.key) })
	order := make([]int32, len(rows))
	for i := range rows {
		order[i] = rows[i].at
	}
	return order
}

// layServices writes svc, ep and source.
func (b *builder) layServices() {
	entries := b.entries()
	l := newServiceLayer(&b.tables, len(entries))
	n := 0
	for _, p := range b.made {
		n += len(p.endpoints)
	}
	l.ep.grow(n)
	for i, at := range byKey(entries) {
		f := entries[at].frontend
		s := l.add(&entries[at].Entry)
		if b.symbols == nil || f == nil {
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
