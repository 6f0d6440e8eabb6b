package calico

import (
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// slicesOf returns the EndpointSlices of a Service.
func (w *world) slicesOf(service objects.Name) []*discoveryv1.EndpointSlice {
	w.slicesOnce.Do(func() {
		w.slices = make(map[objects.Name][]*discoveryv1.EndpointSlice)
		for _, s := range w.cluster.Objects.EndpointSlices {
			name := objects.ServiceOf(s.Object)
			w.slices[name] = append(w.slices[name], s.Object)
		}
	})
	return w.slices[service]
}

// serviceOf returns the Service that a rule is about. Calico's agent looks for one
// without a namespace where the rule names none, and finds no endpoint; a rule that denies
// means that of the policy's namespace, as documented, because it would open otherwise.
func (r *rule) serviceOf() objects.Name {
	s := r.peer.service
	name := objects.Name{Namespace: s.Namespace, Name: s.Name}
	if s.Namespace == "" && r.action == ir.Deny {
		name.Namespace = r.namespace
	}
	return name
}

// ofService returns the alternatives of a rule about a Service. A source is one by its
// address; a destination by address, port and protocol, so that endpoints with other
// ports are another alternative. All endpoints count, also those that are not ready
// (felix/serviceindex/serviceindex.go).
func (r *rule) ofService(base match) []match {
	name := r.serviceOf()
	ports := make(map[netip.Addr][]ir.PortRange)
	for _, s := range r.world.slicesOf(name) {
		addEndpoints(ports, s, r.protocol)
	}
	if r.direction == ir.Ingress {
		base.area.endpoints = &endpoints{sortedAddresses(ports), name.String()}
		return []match{base}
	}
	byPorts := make(map[string]*match)
	for _, a := range sortedAddresses(ports) {
		list := distinct(ports[a])
		if len(list) == 0 {
			continue
		}
		text := rangesText(list)
		m := byPorts[text]
		if m == nil {
			n := base.clone()
			m, byPorts[text] = &n, &n
			m.area.endpoints = &endpoints{text: name.String() + " " + text}
			m.require(destination, list)
		}
		m.area.endpoints.addresses = append(m.area.endpoints.addresses, a)
	}
	var out []match
	for _, text := range slices.Sorted(maps.Keys(byPorts)) {
		out = append(out, *byPorts[text])
	}
	return out
}

func sortedAddresses(of map[netip.Addr][]ir.PortRange) []netip.Addr {
	return slices.SortedFunc(maps.Keys(of), netip.Addr.Compare)
}

// endpointPorts returns the ports of a slice of the protocol; 0 is any. A port without a
// number is none.
func endpointPorts(s *discoveryv1.EndpointSlice, of ir.Protocol) (ports []ir.PortRange) {
	for _, p := range s.Ports {
		if p.Port == nil || *p.Port < 1 || *p.Port > 65535 {
			continue
		}
		proto := ir.TCP
		if p.Protocol != nil && (*p.Protocol == corev1.ProtocolUDP || *p.Protocol == corev1.ProtocolSCTP) {
			proto, _ = ir.ParseProtocol(string(*p.Protocol)) // it is one of the two
		}
		if of == 0 || of == proto {
			ports = append(ports, ir.PortRange{Protocol: proto, First: uint16(*p.Port), Last: uint16(*p.Port)})
		}
	}
	return ports
}

// addEndpoints adds the addresses of a slice, with its ports of the protocol.
func addEndpoints(to map[netip.Addr][]ir.PortRange, s *discoveryv1.EndpointSlice, of ir.Protocol) {
	ports := endpointPorts(s, of)
	for _, e := range s.Endpoints {
		for _, text := range e.Addresses {
			if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
				to[a.Unmap()] = append(to[a.Unmap()], ports...)
			}
		}
	}
}
