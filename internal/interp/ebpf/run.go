package ebpf

import (
	"fmt"
	"net/netip"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// run is the evaluation of one packet.
type run struct {
	*Interpreter
	packet eval.Packet
	result eval.Result
	// symbol is the symbol of the service.
	symbol image.Symbol
	// origins is from where the symbols of the endpoints are.
	origins uint32
}

func (r *run) step(stage string, origin ir.Origin, format string, args ...any) {
	r.result.Steps = append(r.result.Steps, eval.Step{Stage: stage, Text: fmt.Sprintf(format, args...), Origin: origin})
}

func (r *run) end(v eval.Verdict) eval.Result {
	r.result.Verdict = v
	return r.result
}

// lookup looks up the address in svc, and then the nodePort.
func (r *run) lookup() (entry, bool) {
	p := r.packet
	key := layout.ServiceKey{Address: layout.AddressOf(p.Dst), Port: layout.PortOf(p.Port), Protocol: uint8(p.Protocol)}
	if !p.Dst.Is4() {
		key.Scope = layout.ScopeIPv6
	}
	if s, ok := r.services[key]; ok && s.Kind != layout.KindAddress {
		r.found(s, "svc has %v/%v", netip.AddrPortFrom(p.Dst, p.Port), p.Protocol)
		return s, true
	}
	if !r.isNodePort(p.Dst) {
		return entry{}, false
	}
	key.Address, key.Scope = layout.Address{}, key.Scope|layout.ScopeNodePort
	s, ok := r.services[key]
	if ok {
		r.found(s, "%v serves nodePorts, svc has port %d/%v", p.Dst, p.Port, p.Protocol)
	}
	return s, ok
}

func (r *run) found(s entry, format string, args ...any) {
	symbol := r.symbols.Service(s.index)
	text := fmt.Sprintf(format, args...)
	r.step("svc", symbol.Origin, "%s: service %016x %s", text, s.ID, symbol.Name)
}

// route selects the route by the packet's source.
func (r *run) route(s entry) layout.Route {
	p := r.packet
	inside := r.isLocalPod(p) || p.From == eval.FromNode || r.isOwn(p.Src)
	route, side := s.External, "external"
	if inside {
		route, side = s.Internal, "internal"
	}
	pool, origins := r.symbols.Route(s.index, !inside, route.Base)
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

func (r *run) balance(s entry, route layout.Route) eval.Result {
	r.result.Affinity = s.Affinity
	if s.Affinity != 0 {
		r.step("aff", r.symbol.Origin.At("spec.sessionAffinity"), "%v keeps its endpoint of service %016x for %d s, while the pool has it", r.packet.Src, s.ID, s.Affinity)
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
	if !r.leaves(addr) {
		return c
	}
	c.Hairpin = e.Flags&layout.EndpointLocal != 0 && addr == r.packet.Src
	c.Masquerade = c.Hairpin || r.masquerades(addr)
	switch route.Masquerade {
	case layout.MasqueradeAlways:
		c.Masquerade = true
	case layout.MasqueradeUnlessLocalSource:
		c.Masquerade = c.Masquerade || !r.isLocalPod(r.packet)
	}
	return c
}

// leaves reports whether the packet is forwarded or sent, rather than delivered to
// the node.
func (r *run) leaves(dst netip.Addr) bool { return r.packet.From == eval.FromNode || !r.isOwn(dst) }

// unclaimed evaluates a packet that svc does not match.
func (r *run) unclaimed() eval.Result {
	dst := r.packet.Dst
	if r.leaves(dst) {
		if r.isClusterIP(dst) {
			r.step("svc", ir.Origin{}, "%v is a ClusterIP, but %d/%v is none of its ports: rejected", dst, r.packet.Port, r.packet.Protocol)
			return r.end(eval.Reject)
		}
		if r.inServiceRange(dst) {
			r.step("meta", ir.Origin{}, "%v is in a service range, but no Service has it: dropped", dst)
			return r.end(eval.Drop)
		}
		r.result.Masquerade = r.masquerades(dst)
	}
	if !r.police(dst, r.packet.Port) {
		return r.end(r.refusal())
	}
	r.step("pass", r.symbols.Masquerade().Origin, "svc does not have it; masqueraded: %v", r.result.Masquerade)
	return r.end(eval.Pass)
}
