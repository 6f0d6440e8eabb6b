package proof

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// readLocal returns the program as kube-proxy's IPVS mode reads traffic policies: an address
// has one list of endpoints for every client, that of clients from outside, and if it is empty
// the other one of the Service port (syncEndpoint in pkg/proxy/ipvs/proxier.go). Without an
// endpoint IPVS refuses.
func readLocal(p *ir.Program) *ir.Program {
	out := *p
	out.Frontends = slices.Clone(p.Frontends)
	for i := range out.Frontends {
		f := &out.Frontends[i]
		r := f.External
		if empty(p, r.Pool) {
			r.Pool = otherPool(p, f)
		}
		r.OnEmpty = ir.Reject
		f.Internal, f.External = r, r
	}
	return &out
}

// otherPool returns a pool of the frontend's Service port that has an endpoint, or the one of
// its external route.
func otherPool(p *ir.Program, f *ir.Frontend) string {
	for i := range p.Frontends {
		o := &p.Frontends[i]
		if o.Service != f.Service || o.Match.Family != f.Match.Family {
			continue
		}
		for _, r := range []ir.Route{o.Internal, o.External} {
			if !empty(p, r.Pool) {
				return r.Pool
			}
		}
	}
	return f.External.Pool
}

func empty(p *ir.Program, pool string) bool {
	return !slices.ContainsFunc(p.Pools, func(q ir.Pool) bool { return q.ID == pool && len(q.Endpoints) > 0 })
}

// isLocalPolicy reports whether the frontend has another list of endpoints for clients from
// outside than for others, or none for them.
func isLocalPolicy(m *meant, want, _ *eval.Result, p *space.Packets) bool {
	f := want.Frontend
	return f != nil && isFirst(p) && (f.Internal != f.External || empty(m.program, f.External.Pool))
}

// isUnlisted reports whether packets get endpoints of other nodes, each the same part, where
// the program has no endpoint of the Service port because Services claim one address.
func isUnlisted(m *meant, want, got *eval.Result, p *space.Packets) bool {
	f := want.Frontend
	if f == nil || len(m.claimed) == 0 || !refuses(want) || got.Verdict != eval.DNAT || !isFirst(p) || !empty(m.program, otherPool(m.program, f)) {
		return false
	}
	return got.Affinity == f.Affinity && differentShares(got, uniform(reached(got.Endpoints))) == "" &&
		!slices.ContainsFunc(got.Endpoints, func(c eval.Choice) bool { return !m.elsewhere[c.Address.Addr()] })
}

// readNodeRanges returns the program as kube-proxy's IPVS mode reads it for what the node
// sends: its rules about source ranges are in INPUT, where that does not pass.
func readNodeRanges(p *ir.Program) *ir.Program {
	out := *p
	out.Frontends = slices.Clone(p.Frontends)
	for i := range out.Frontends {
		out.Frontends[i].SourceRanges = nil
	}
	return &out
}

func isNodeRanges(_ *meant, want, _ *eval.Result, p *space.Packets) bool {
	return want.Frontend != nil && len(want.Frontend.SourceRanges) > 0 && want.Verdict == eval.Drop && isFirst(p) && fromTheNode(p)
}

func fromTheNode(p *space.Packets) bool {
	return p.Is(space.Entry, space.N(uint64(eval.FromNode)))
}

func isSegment(_ *meant, want, got *eval.Result, p *space.Packets) bool {
	return want.Frontend != nil && got.Verdict == eval.Pass && isFirst(p) && p.Is(space.Midstream, space.N(1))
}

// toBound reports whether packets go to an address of IPVS's device.
func (m *meant) toBound(p *space.Packets) bool {
	set := m.bound[p.IPv6()]
	return p.In(space.Destination, &set)
}

// isBoundAddress reports whether packets are refused that go to an address of IPVS's device
// which is no ClusterIP: a ClusterIP's other ports are refused by planec too.
func isBoundAddress(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return want.Frontend == nil && passes(want) && got.Verdict == eval.Reject && isFirst(p) && m.toBound(p)
}

func isHealthPort(m *meant, want, got *eval.Result, p *space.Packets) bool {
	if want.Frontend != nil || !refuses(want) || got.Verdict != eval.Pass || !isFirst(p) || !m.toBound(p) {
		return false
	}
	tcpOrUDP := space.Points(space.N(uint64(ir.TCP)), space.N(uint64(ir.UDP)))
	return slices.ContainsFunc(m.program.HealthChecks, func(h ir.HealthCheck) bool {
		return (h.Family == ir.IPv6) == p.IPv6() && p.Is(space.Port, space.N(uint64(h.Port)))
	}) && p.In(space.Protocol, &tcpOrUDP)
}

// isToItself reports whether packets of an endpoint to itself differ in masquerade alone.
func isToItself(_ *meant, want, got *eval.Result, p *space.Packets) bool {
	b := p.Box()
	from, one := b.Sets[space.Source].Point()
	to, other := b.Sets[space.Destination].Point()
	return want.Frontend == nil && passes(want) && got.Verdict == eval.Pass && got.Masquerade && one && other && from == to && isFirst(p)
}

// readLoopback returns the program as kube-proxy's IPVS mode reads it for what the node sends
// from a loopback address: the first rule of its chain of Services returns.
func readLoopback(p *ir.Program) *ir.Program {
	out := *p
	out.Frontends = slices.Clone(p.Frontends)
	for i := range out.Frontends {
		f := &out.Frontends[i]
		f.Internal.Masquerade, f.External.Masquerade = ir.MasqueradeNever, ir.MasqueradeNever
	}
	return &out
}

func isLoopback(_ *meant, want, _ *eval.Result, p *space.Packets) bool {
	loopback := space.Of(space.Prefix(netip.MustParsePrefix("127.0.0.0/8")))
	if p.IPv6() {
		loopback = space.Of(space.Prefix(netip.MustParsePrefix("::1/128")))
	}
	return want.Frontend != nil && isFirst(p) && fromTheNode(p) && p.In(space.Source, &loopback)
}

// isNodePortSource reports whether packets of the node to the number of a nodePort differ in
// masquerade alone.
func isNodePortSource(m *meant, want, got *eval.Result, p *space.Packets) bool {
	if want.Frontend != nil || !passes(want) || got.Verdict != eval.Pass || !got.Masquerade || !isFirst(p) || !fromTheNode(p) || !m.toNode(p) {
		return false
	}
	return slices.ContainsFunc(m.program.Frontends, func(f ir.Frontend) bool {
		return !f.Match.Address.IsValid() && (f.Match.Family == ir.IPv6) == p.IPv6() &&
			p.Is(space.Protocol, space.N(uint64(f.Match.Protocol))) && p.Is(space.Port, space.N(uint64(f.Match.Port)))
	})
}

// readVirtual returns the program as kube-proxy's IPVS mode reads it for clients that have
// bound no address: to a ClusterIP they are masqueraded even without a detector of local pods,
// and an endpoint that has an address of the node is not the client.
func readVirtual(p *ir.Program) *ir.Program {
	out := *p
	out.Frontends, out.Pools = slices.Clone(p.Frontends), slices.Clone(p.Pools)
	for i := range out.Frontends {
		if f := &out.Frontends[i]; f.Kind == ir.ClusterIP && f.External.Masquerade == ir.MasqueradeNever {
			f.Internal.Masquerade, f.External.Masquerade = ir.MasqueradeAlways, ir.MasqueradeAlways
		}
	}
	for i := range out.Pools {
		list := slices.Clone(out.Pools[i].Endpoints)
		for k := range list {
			list[k].Local = list[k].Local && !slices.Contains(p.Node.Addresses, list[k].Address.Addr())
		}
		out.Pools[i].Endpoints = list
	}
	return &out
}

func isVirtualSource(m *meant, want, _ *eval.Result, _ *space.Packets) bool {
	return m.virtual && want.Frontend != nil
}
