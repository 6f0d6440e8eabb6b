package ebpf

import (
	"fmt"
	"net/netip"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// run is the evaluation of one packet.
type run struct {
	*Interpreter
	packets *space.Packets
	// known is what is known of addresses of the packets' family.
	known *known
	// shown is the packet of texts, where explain is set. Nothing is decided by it.
	shown   eval.Packet
	explain bool
	result  eval.Result
	// symbol is the symbol of the service.
	symbol image.Symbol
	// origins is from where the symbols of the endpoints are.
	origins uint32
}

func (r *run) step(stage string, origin ir.Origin, format string, args ...any) {
	if r.explain {
		r.result.Steps = append(r.result.Steps, eval.Step{Stage: stage, Text: fmt.Sprintf(format, args...), Origin: origin})
	}
}

func (r *run) end(v eval.Verdict) eval.Result {
	r.result.Verdict = v
	return r.result
}

// lookup looks up the address in svc, and then the nodePort, and returns the index of the
// entry.
func (r *run) lookup() (int, bool) {
	family, protocol, port := space.Known(familyOf(r.packets.IPv6())), space.Protocol.Value(), space.Port.Value()
	if i, ok := r.addressed.Find(r.packets, family, space.Destination.Value(), protocol, port); ok {
		r.found(i, "svc has %v/%v", netip.AddrPortFrom(r.shown.Dst, r.shown.Port), r.shown.Protocol)
		return i, true
	}
	if !r.isNodePort() {
		return 0, false
	}
	i, ok := r.everyNode.Find(r.packets, family, protocol, port)
	if ok {
		r.found(i, "%v serves nodePorts, svc has port %d/%v", r.shown.Dst, r.shown.Port, r.shown.Protocol)
	}
	return i, ok
}

func (r *run) found(index int, format string, args ...any) {
	if r.explain {
		symbol := r.symbols.Service(index)
		text := fmt.Sprintf(format, args...)
		r.step("svc", symbol.Origin, "%s: service %016x %s", text, r.services[index].ID, symbol.Name)
	}
}

// from reports whether the packet enters there.
func (r *run) from(e eval.Entry) bool { return r.packets.Is(space.Entry, space.N(uint64(e))) }

// route selects the route by the packet's source.
func (r *run) route(s layout.Service, index int) layout.Route {
	inside := r.isLocalPod() || r.from(eval.FromNode) || r.isOwn(space.Source.Value())
	route, side := s.External, "external"
	if inside {
		route, side = s.Internal, "internal"
	}
	pool, origins := r.symbols.Route(index, !inside, route.Base)
	r.origins = origins
	r.step("route", r.symbol.Origin, "%s: %d endpoints from %d %s", side, route.Count, route.Base, pool.Name)
	return route
}

func (r *run) empty(route layout.Route) eval.Result {
	if route.OnEmpty == layout.EmptyDrop {
		r.step("ep", r.symbol.Origin, "no endpoint: dropped")
		return r.end(eval.Drop)
	}
	r.step("ep", r.symbol.Origin, "no endpoint: rejected")
	return r.end(eval.Reject)
}

func (r *run) balance(s layout.Service, route layout.Route) eval.Result {
	r.result.Affinity = s.Affinity
	if s.Affinity != 0 {
		r.step("aff", r.symbol.Origin.At("spec.sessionAffinity"), "%v keeps its endpoint of service %016x for %d s, while the pool has it", r.shown.Src, s.ID, s.Affinity)
	}
	for i := route.Base; i < route.Base+route.Count; i++ {
		r.result.Endpoints = append(r.result.Endpoints, r.choice(i, route))
	}
	if !r.policeEndpoints() {
		return r.end(r.refusal())
	}
	r.result.Masquerade = true
	for _, c := range r.result.Endpoints {
		r.result.Masquerade = r.result.Masquerade && c.Masquerade
	}
	r.step("masquerade", r.symbol.Origin, "whichever endpoint: %v", r.result.Masquerade)
	return r.end(eval.DNAT)
}

// choice returns one endpoint and its effect on this packet. A packet that stays
// on the node is not masqueraded, unless the node sent it.
func (r *run) choice(i uint32, route layout.Route) eval.Choice {
	e := r.endpoints[i]
	addr := e.Address.Addr()
	c := eval.Choice{Address: netip.AddrPortFrom(addr, e.Port.Number()), Weight: r.weights[i], Origin: r.symbols.Endpoint(r.origins + i - route.Base).Origin}
	to := space.Known(space.Addr(addr))
	if !r.leaves(to) {
		return c
	}
	c.Hairpin = e.Flags&layout.EndpointLocal != 0 && r.packets.Is(space.Source, to.Number)
	c.Masquerade = c.Hairpin || r.masquerades(to)
	switch route.Masquerade {
	case layout.MasqueradeAlways:
		c.Masquerade = true
	case layout.MasqueradeUnlessLocalSource:
		c.Masquerade = c.Masquerade || !r.isLocalPod()
	}
	return c
}

// leaves reports whether the packet is forwarded or sent, rather than delivered to
// the node.
func (r *run) leaves(dst space.Value) bool { return !r.isOwn(dst) || r.from(eval.FromNode) }

// unclaimed evaluates a packet that svc does not match.
func (r *run) unclaimed() eval.Result {
	dst := space.Destination.Value()
	if r.leaves(dst) {
		if r.packets.Within(dst, &r.known.clusterIPs) {
			r.step("svc", ir.Origin{}, "%v is a ClusterIP, but %d/%v is none of its ports: rejected", r.shown.Dst, r.shown.Port, r.shown.Protocol)
			return r.end(eval.Reject)
		}
		if r.inServiceRange() {
			r.step("meta", ir.Origin{}, "%v is in a service range, but no Service has it: dropped", r.shown.Dst)
			return r.end(eval.Drop)
		}
		r.result.Masquerade = r.masquerades(dst)
	}
	if !r.police(dst, space.Port.Value()) {
		return r.end(r.refusal())
	}
	r.step("pass", r.symbols.Masquerade().Origin, "svc does not have it; masqueraded: %v", r.result.Masquerade)
	return r.end(eval.Pass)
}
