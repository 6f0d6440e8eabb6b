package failsafe

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Program returns a program without the objects of the set, and p itself where it
// has none of them. It is one that [ir.Verify] accepts when p is, and the same part
// of it comes from the same part of p: the fragments of a change can be given
// instead of whole programs.
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

// services refuses or removes the frontends of Services, and reports whether there
// were any.
func services(p *ir.Program, set Set) bool {
	level := func(f *ir.Frontend) Level { return set[ServiceOf(f.Service)] }
	if !slices.ContainsFunc(p.Frontends, func(f ir.Frontend) bool { return level(&f) != 0 }) {
		return false
	}
	emptied, kept, gone := make(map[string]bool), make(map[string]bool), make(map[netip.Addr]bool)
	served := make(map[netip.Addr]bool)
	var frontends []ir.Frontend
	for _, f := range p.Frontends {
		l := level(&f)
		if f.Kind == ir.ClusterIP {
			if l == Gone {
				gone[f.Match.Address] = true
			} else {
				served[f.Match.Address] = true
			}
		}
		if l >= Removed {
			continue
		}
		if l == Refused {
			f = refused(f)
			emptied[f.Internal.Pool] = true
		}
		kept[f.Internal.Pool], kept[f.External.Pool] = true, true
		frontends = append(frontends, f)
	}
	p.Frontends = frontends
	p.Pools = pools(p.Pools, kept, emptied)
	p.ClusterIPs = slices.DeleteFunc(slices.Clone(p.ClusterIPs), func(a netip.Addr) bool { return gone[a] && !served[a] })
	p.HealthChecks = slices.Clone(p.HealthChecks)
	for i := range p.HealthChecks {
		if h := &p.HealthChecks[i]; set[Object{Service, h.Namespace, h.Name}] != 0 {
			h.LocalEndpoints = 0
		}
	}
	return true
}

// refused is a frontend that answers as one without endpoints does. Both routes are
// one, and nothing about who asks matters any more.
func refused(f ir.Frontend) ir.Frontend {
	f.SourceRanges, f.Affinity = nil, 0
	f.Internal = ir.Route{Pool: f.Internal.Pool, Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
	f.External = f.Internal
	return f
}

func pools(list []ir.Pool, kept, emptied map[string]bool) []ir.Pool {
	var out []ir.Pool
	for _, p := range list {
		if !kept[p.ID] {
			continue
		}
		if emptied[p.ID] {
			p.Endpoints = nil
		}
		out = append(out, p)
	}
	return out
}
