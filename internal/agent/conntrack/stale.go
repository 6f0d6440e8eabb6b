package conntrack

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Stale compares two programs, or the fragments of them that differ, and selects
// the flows that the change made stale. If before is nil, as at the start of a
// process, it checks flows to all frontends, and to addresses of removed Services.
// If after is nil, all frontends are removed.
func Stale(before, after *ir.Program) Filters {
	old, now := newView(before), newView(after)
	var out Filters
	for _, f := range now.frontends {
		had := old.byMatch[f.Match]
		moved := f.Kind == ir.NodePort && !sameScope(old.scope, now.scope)
		if had != nil && !moved && old.sameEndpoints(had, now, f) {
			continue
		}
		out.Frontends = append(out.Frontends, now.filter(f.Match, now.endpoints(f), nil))
	}
	for _, f := range old.frontends {
		if now.byMatch[f.Match] != nil {
			continue
		}
		// Without earlier endpoints, no flow can be stale.
		if had := old.endpoints(f); len(had) > 0 {
			out.Frontends = append(out.Frontends, old.filter(f.Match, nil, had))
		}
	}
	if before == nil && after != nil {
		out.Unclaimed = slices.Clone(after.Node.ServiceCIDRs)
	}
	return out
}

// view is the relevant part of a program: the frontends of all protocols except TCP,
// whose connections end by themselves.
type view struct {
	frontends []*ir.Frontend
	byMatch   map[ir.Match]*ir.Frontend
	pools     map[string]*ir.Pool
	scope     ir.NodePortScope
}

func newView(p *ir.Program) *view {
	if p == nil {
		return &view{}
	}
	v := &view{scope: p.Node.NodePorts}
	for i := range p.Frontends {
		if f := &p.Frontends[i]; f.Match.Protocol != ir.TCP {
			v.frontends = append(v.frontends, f)
		}
	}
	if len(v.frontends) == 0 {
		return v
	}
	v.byMatch = make(map[ir.Match]*ir.Frontend, len(v.frontends))
	for _, f := range v.frontends {
		v.byMatch[f.Match] = f
	}
	v.pools = make(map[string]*ir.Pool, len(p.Pools))
	for i := range p.Pools {
		v.pools[p.Pools[i].ID] = &p.Pools[i]
	}
	return v
}

func (v *view) filter(m ir.Match, keep, gone []netip.AddrPort) Filter {
	f := Filter{Match: m, Keep: keep, Gone: gone}
	if !m.Address.IsValid() {
		f.Scope = v.scope
	}
	return f
}

// endpoints returns the allowed endpoints of flows, sorted: those of both routes
// and the lasting ones. A flow must not move because of a changed traffic policy,
// hint or readiness.
func (v *view) endpoints(f *ir.Frontend) []netip.AddrPort {
	list := slices.Clone(f.Lasting)
	pools := [2]string{f.Internal.Pool, f.External.Pool}
	for _, id := range slices.Compact(pools[:]) {
		if pool := v.pools[id]; pool != nil {
			for _, e := range pool.Endpoints {
				list = append(list, e.Address)
			}
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	return slices.Compact(list)
}

// sameEndpoints reports whether flows to two frontends of two programs have the
// same allowed endpoints. Usually their pools are equal, which is cheaper to
// check.
func (v *view) sameEndpoints(f *ir.Frontend, other *view, g *ir.Frontend) bool {
	if slices.Equal(f.Lasting, g.Lasting) && samePool(v.pools[f.Internal.Pool], other.pools[g.Internal.Pool]) &&
		samePool(v.pools[f.External.Pool], other.pools[g.External.Pool]) {
		return true
	}
	return slices.Equal(v.endpoints(f), other.endpoints(g))
}

func samePool(a, b *ir.Pool) bool {
	return a == b || a != nil && b != nil &&
		slices.EqualFunc(a.Endpoints, b.Endpoints, func(x, y ir.Endpoint) bool { return x.Address == y.Address })
}

func sameScope(a, b ir.NodePortScope) bool {
	return slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.Prefixes, b.Prefixes)
}
