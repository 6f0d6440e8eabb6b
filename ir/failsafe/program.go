package failsafe

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Program returns a program without the objects of the set, or p itself if p has
// none of them. [ir.Verify] accepts the result if it accepts p. Each part depends
// only on the same part of p, so the fragments of a change can be passed instead of
// whole programs.
func Program(p *ir.Program, set Set) *ir.Program {
	if len(set) == 0 {
		return p
	}
	out := *p
	services := services(&out, set)
	if policies(&out.Policy, set) || services {
		out.Normalize()
		return &out
	}
	return p
}

// services refuses or removes the frontends of given-up Services, and reports
// whether there were any.
func services(p *ir.Program, set Set) bool {
	level := func(f *ir.Frontend) Level { return set[ServiceOf(f.Service)] }
	gone, served := make(map[netip.Addr]bool), make(map[netip.Addr]bool)
	found := false
	for i := range p.Frontends {
		f := &p.Frontends[i]
		l := level(f)
		found = found || l != 0
		if f.Kind == ir.ClusterIP {
			if l == Gone {
				gone[f.Match.Address] = true
			} else {
				served[f.Match.Address] = true
			}
		}
	}
	if !found {
		return false
	}
	p.Frontends = slices.DeleteFunc(slices.Clone(p.Frontends), func(f ir.Frontend) bool { return level(&f) >= Removed })
	refuse(p, func(f *ir.Frontend) bool { return level(f) == Refused })
	p.ClusterIPs = slices.DeleteFunc(slices.Clone(p.ClusterIPs), func(a netip.Addr) bool { return gone[a] && !served[a] })
	p.HealthChecks = slices.Clone(p.HealthChecks)
	for i := range p.HealthChecks {
		if h := &p.HealthChecks[i]; set[Object{Service, h.Namespace, h.Name}] != 0 {
			h.LocalEndpoints = 0
		}
	}
	return true
}

// Frontends returns a program in which the selected frontends refuse and others of
// the same Service do not; it returns p itself if none is selected.
func Frontends(p *ir.Program, which func(*ir.Frontend) bool) *ir.Program {
	selected := false
	for i := range p.Frontends { // by value, each would be copied to the heap
		selected = selected || which(&p.Frontends[i])
	}
	if !selected {
		return p
	}
	out := *p
	out.Frontends = slices.Clone(p.Frontends)
	refuse(&out, which)
	out.Normalize()
	return &out
}

// refuse makes frontends answer like frontends without endpoints, and drops unused
// pools. Both routes become equal, so it does not matter who sends the packet.
// Other frontends may use the old pool, so each gets a new, empty one.
func refuse(p *ir.Program, which func(*ir.Frontend) bool) {
	kept, empty := make(map[string]bool, len(p.Pools)), make(map[string]bool)
	have := p.Pools
	p.Pools = slices.Clone(p.Pools)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if which(f) {
			lasting(f, have)
			pool := f.Internal.Pool + "/refused"
			f.SourceRanges, f.Affinity = nil, 0
			f.Internal = ir.Route{Pool: pool, Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
			f.External = f.Internal
			if !empty[pool] {
				empty[pool] = true
				p.Pools = append(p.Pools, ir.Pool{ID: pool, Origin: f.Origin})
			}
		}
		kept[f.Internal.Pool], kept[f.External.Pool] = true, true
	}
	p.Pools = slices.DeleteFunc(p.Pools, func(pool ir.Pool) bool { return !kept[pool.ID] })
}

// lasting keeps the existing flows of a frontend: only new connections are
// refused. Pools are sorted by ID.
func lasting(f *ir.Frontend, pools []ir.Pool) {
	if f.Match.Protocol == ir.TCP {
		return
	}
	list := slices.Clone(f.Lasting)
	for _, id := range []string{f.Internal.Pool, f.External.Pool} {
		at, found := slices.BinarySearchFunc(pools, id, func(p ir.Pool, id string) int { return cmp.Compare(p.ID, id) })
		if !found {
			continue
		}
		for _, e := range pools[at].Endpoints {
			list = append(list, e.Address)
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	f.Lasting = slices.Compact(list)
}
