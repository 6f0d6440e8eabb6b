package ipvs

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
	"github.com/planec/planec/ir/resolve"
)

// addDeniedOwn evaluates policies at compile time, because no rule can: packets
// that IPVS delivers to the node itself do not pass the filter table again. One
// denied endpoint suffices to refuse the virtual service to a pod.
func (t *table) addDeniedOwn(s *set) {
	t.eachJudgedOwn(func(v ownService, pod netip.Addr, j judgement) {
		if j.denied {
			s.addKeyAddr(v.key, pod)
		}
	})
}

// ownService is a virtual service that has an endpoint on the node itself.
type ownService struct {
	key
	frontend *ir.Frontend
	routes   routes
}

// noteOwn records such a virtual service.
func (t *table) noteOwn(f *ir.Frontend, k key, r routes) {
	if slices.ContainsFunc(r.internal.Endpoints, t.isOwn) || slices.ContainsFunc(r.external.Endpoints, t.isOwn) {
		t.ownServices = append(t.ownServices, ownService{key: k, frontend: f, routes: r})
	}
}

func (t *table) isOwn(e ir.Endpoint) bool { return isOwn(t.own, e) }

func isOwn(own map[netip.Addr]bool, e ir.Endpoint) bool {
	a := e.Address.Addr()
	return own[a] || a.IsLoopback()
}

// ownAddresses returns the known addresses of the node itself; every loopback address
// is one too.
func ownAddresses(n *ir.Node) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool, len(n.Addresses))
	for _, a := range n.Addresses {
		out[a] = true
	}
	return out
}

// judgement is what a pod's egress policies say about a virtual service with an
// endpoint on the node itself.
type judgement struct {
	// denied is whether they deny such an endpoint, at least to some source ports.
	denied bool
	// tooMuch is whether they allow more than what a refusal to the pod leaves:
	// another endpoint, or some source ports.
	tooMuch bool
	// logged is whether they log packets that no rule will judge: those to such an
	// endpoint, and if it is denied, those to the others too.
	logged bool
}

// eachJudgedOwn calls f for each pair of virtual service and pod with policies.
func (t *table) eachJudgedOwn(f func(v ownService, pod netip.Addr, j judgement)) {
	if len(t.ownServices) == 0 {
		return // avoid resolving the policies
	}
	tables := t.policies.Tables()
	if tables == nil {
		return
	}
	for i := range tables.Profiles {
		p := &tables.Profiles[i]
		if p.Egress == nil {
			continue
		}
		for _, pod := range p.Pods {
			for _, a := range ir.AddrsOf(t.family, pod.Addresses) {
				for _, v := range t.ownServices {
					f(v, a, t.judgeOwn(tables, p.Egress, v, a))
				}
			}
		}
	}
}

func (t *table) judgeOwn(tables *resolve.Policy, egress *resolve.Table, v ownService, pod netip.Addr) (j judgement) {
	others := false // whether packets to another endpoint are logged
	for _, e := range t.endpointsFor(v.routes, pod) {
		port := e.Address.Port()
		row := egress.Row(tables.ClassOf(e.Address.Addr()))
		all, any := acceptsFrom(tables, row, v.protocol, port)
		j.tooMuch = j.tooMuch || any
		logged := logs(tables, row, v.protocol, port)
		if t.isOwn(e) {
			j.denied, j.logged = j.denied || !all, j.logged || logged
		} else {
			others = others || logged
		}
	}
	j.logged = j.logged || j.denied && others
	return j
}

// acceptsFrom reports whether a row accepts packets to a port from all source ports,
// and whether it accepts those from any.
func acceptsFrom(tables *resolve.Policy, row int, proto ir.Protocol, port uint16) (all, any bool) {
	rows := rowsOf(tables, row, proto)
	denies := func(r *resolve.Row) bool { return !r.Accepts(proto, port) }
	accepts := func(r *resolve.Row) bool { return r.Accepts(proto, port) }
	return !slices.ContainsFunc(rows, denies), slices.ContainsFunc(rows, accepts)
}

// logs reports whether a row logs packets to a port, from any source port.
func logs(tables *resolve.Policy, row int, proto ir.Protocol, port uint16) bool {
	return slices.ContainsFunc(rowsOf(tables, row, proto), func(r *resolve.Row) bool {
		return slices.ContainsFunc(r.Logs, func(l resolve.Log) bool { return l.Logs(proto, port) })
	})
}

// rowsOf returns a row and its rows of the protocol's source ports.
func rowsOf(tables *resolve.Policy, row int, proto ir.Protocol) []*resolve.Row {
	out := []*resolve.Row{&tables.Rows[row]}
	for _, s := range tables.Rows[row].Sources {
		if s.Ports.Protocol == proto {
			out = append(out, &tables.Rows[s.Row])
		}
	}
	return out
}

// refusedOwn returns the Services that have an endpoint on the node itself to which
// the node's own ingress policies deny any packet: IPVS would deliver it unjudged.
func refusedOwn(p *ir.Program, policies *xtpolicy.Policies) []backends.Refused {
	i := slices.IndexFunc(p.Policy.Profiles, func(x ir.Profile) bool { return x.Node && len(x.Ingress) > 0 })
	if i < 0 {
		return nil
	}
	own, pools := ownAddresses(&p.Node), backends.Pools(p)
	done := make(map[failsafe.Object]bool)
	var out []backends.Refused
	for j := range p.Frontends {
		f := &p.Frontends[j]
		o := failsafe.ServiceOf(f.Service)
		at, denied := deniedEndpoint(f, pools, own, policies.Tables(), i)
		if !denied || done[o] {
			continue
		}
		done[o] = true
		out = append(out, backends.Refused{
			Object: o, Origin: ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name},
			Why: fmt.Sprintf("%v: the node's own ingress policies deny packets to its endpoint %v, which is the node itself; IPVS delivers them where no policy can judge, so the Service is refused", o, at),
		})
	}
	return out
}

// deniedEndpoint returns an endpoint of a frontend that is the node itself, and to
// which the profile with the index denies any packet.
func deniedEndpoint(f *ir.Frontend, pools map[string]*ir.Pool, own map[netip.Addr]bool, tables *resolve.Policy, profile int) (at netip.AddrPort, denied bool) {
	for _, id := range []string{f.Internal.Pool, f.External.Pool} {
		if pools[id] == nil {
			continue // ir.Verify reports it
		}
		for _, e := range pools[id].Endpoints {
			if isOwn(own, e) && deniesAny(tables, tables.Profiles[profile].Ingress, f.Match.Protocol, e.Address.Port()) {
				return e.Address, true
			}
		}
	}
	return netip.AddrPort{}, false
}

// deniesAny reports whether a table denies packets to a port from any address and
// source port.
func deniesAny(tables *resolve.Policy, t *resolve.Table, proto ir.Protocol, port uint16) bool {
	if t == nil {
		return false
	}
	denies := func(row int) bool {
		all, _ := acceptsFrom(tables, row, proto, port)
		return !all
	}
	if denies(t.Default) {
		return true
	}
	for _, r := range t.Rows {
		if denies(r.Row) {
			return true
		}
	}
	return false
}

// endpointsFor returns the endpoints that a pod's packets may get. A detector by
// interface does not say of an address by which one its packets arrive, so both routes
// are possible.
func (t *table) endpointsFor(r routes, pod netip.Addr) []ir.Endpoint {
	switch d := t.program.Node.Local; {
	case !d.Detects(t.family):
		return r.external.Endpoints
	case d.Mode != ir.DetectCIDR:
		return slices.Concat(r.internal.Endpoints, r.external.Endpoints)
	case ir.ContainsAddr(d.CIDRs, pod):
		return r.internal.Endpoints
	}
	return r.external.Endpoints
}
