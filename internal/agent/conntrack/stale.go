package conntrack

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Stale compares two programs, or the fragments of them that differ, and says
// which flows the change left behind. Without a program before (nil), which is
// how a process starts, flows to every frontend are looked at, and those to
// addresses of Services that are gone; without one after, everything is gone.
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
		// Where there were no endpoints, no flow can be wrong.
		if had := old.endpoints(f); len(had) > 0 {
			out.Frontends = append(out.Frontends, old.filter(f.Match, nil, had))
		}
	}
	if before == nil && after != nil {
		out.Unclaimed = slices.Clone(after.Node.ServiceCIDRs)
	}
	return out
}

// view is what of a program this is about: frontends of protocols that do not
// notice by themselves.
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

// endpoints are those that flows may go to, sorted: of both routes, and what
// serves besides. A flow is not to be moved because a traffic policy, a hint or
// readiness changed.
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

// sameEndpoints reports whether flows to two frontends of two programs may go to
// the same endpoints. Nearly always their pools are equal, and nothing has to be
// joined.
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
