package conntrack

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Stale compares two programs, or the fragments of them that differ, and says
// which flows the change left behind. Without a program before (nil), which is
// how a process starts, flows to every frontend are looked at; without one
// after, everything is gone.
func Stale(before, after *ir.Program) []Filter {
	old, now := newView(before), newView(after)
	var out []Filter
	for _, f := range now.frontends {
		had := old.byMatch[f.Match]
		moved := f.Kind == ir.NodePort && !sameScope(old.scope, now.scope)
		if had != nil && !moved && old.sameEndpoints(had, now, f) {
			continue
		}
		out = now.append(out, f.Match, old.endpoints(had), now.endpoints(f))
	}
	for _, f := range old.frontends {
		if now.byMatch[f.Match] == nil {
			out = old.append(out, f.Match, old.endpoints(f), nil)
		}
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

// append adds the filter of a frontend. Where there are no endpoints, now or
// ever, no flow can be wrong.
func (v *view) append(out []Filter, m ir.Match, had, have []netip.AddrPort) []Filter {
	f := Filter{Match: m, Keep: have}
	if len(have) == 0 {
		f.Gone = had
	}
	if len(had)+len(have) == 0 {
		return out
	}
	if !m.Address.IsValid() {
		f.Scope = v.scope
	}
	return append(out, f)
}

// endpoints are those of both routes, sorted: a flow is not to be moved because
// a traffic policy changed. Without a frontend there are none.
func (v *view) endpoints(f *ir.Frontend) (list []netip.AddrPort) {
	if f == nil {
		return nil
	}
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

// sameEndpoints reports whether two frontends of two programs have the same
// endpoints. Nearly always their pools are equal, and nothing has to be joined.
func (v *view) sameEndpoints(f *ir.Frontend, other *view, g *ir.Frontend) bool {
	if samePool(v.pools[f.Internal.Pool], other.pools[g.Internal.Pool]) && samePool(v.pools[f.External.Pool], other.pools[g.External.Pool]) {
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
