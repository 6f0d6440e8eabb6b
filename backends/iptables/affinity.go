package iptables

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// sticker is an endpoint with affinity, which remembers its clients.
type sticker struct {
	service  ir.ServicePort
	endpoint netip.AddrPort
	protocol ir.Protocol
	seconds  uint32
}

// binding is the set of clients of an endpoint; all frontends of the Service share
// it.
type binding struct {
	service  ir.ServicePort
	endpoint netip.AddrPort
}

// sticker returns the chain that remembers the client and translates to the endpoint.
func (d *dataplane) sticker(s sticker, service *ir.ServicePort) string {
	if target, ok := d.stickers[s]; ok {
		return target
	}
	clients := d.clients(s.service, s.endpoint)
	seconds := strconv.FormatUint(uint64(s.seconds), 10)
	name := d.names.Own(xtables.EndpointChain, clients, s.protocol.String(), seconds)
	d.stickers[s] = " -g " + name
	w := &d.nat
	w.open(name)
	w.end(append(d.comment(w.rule(), service), " -j SET --add-set "+clients+" src --exist --timeout "+seconds...))
	w.end(append(d.comment(append(append(w.rule(), " -p "...), s.protocol.String()...), service), dnat(s.endpoint)...))
	w.close()
	return d.stickers[s]
}

// clients returns the set of clients of an endpoint.
func (d *dataplane) clients(service ir.ServicePort, endpoint netip.AddrPort) string {
	key := binding{service, endpoint}
	if name, ok := d.bound[key]; ok {
		return name
	}
	name := d.names.Own(xtables.ClientsSet, service.Namespace, service.Name, service.Port, service.Protocol.String(), endpoint.String()) + "-" + d.suffix
	d.bound[key] = name
	d.sets.bindings = append(d.sets.bindings, set{name: name, kind: "hash:ip", binds: true})
	return name
}

// recall writes the rules that return a client to its endpoint. If that endpoint is not
// in this route, the binding is removed, because the client gets another endpoint.
func (d *dataplane) recall(s step, list []choice, service *ir.ServicePort) {
	w := &d.nat
	for i := range s.pool.Endpoints {
		b := append(d.comment(w.rule(), service), " -m set --match-set "...)
		b = append(append(b, d.clients(s.service, s.pool.Endpoints[i].Address)...), " src"...)
		w.end(append(b, list[i].target...))
	}
	for _, a := range d.members[s.service] {
		if slices.ContainsFunc(s.pool.Endpoints, func(e ir.Endpoint) bool { return e.Address == a }) {
			continue
		}
		w.end(append(d.comment(w.rule(), service), " -j SET --del-set "+d.clients(s.service, a)+" src"...))
	}
}

// addMembers records the endpoints that a Service with affinity may use.
func (d *dataplane) addMembers(f *ir.Frontend) {
	list := d.members[f.Service]
	for _, r := range []ir.Route{f.Internal, f.External} {
		for i := range d.pool(r).Endpoints {
			list = append(list, d.pool(r).Endpoints[i].Address)
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	d.members[f.Service] = slices.Compact(list)
}
