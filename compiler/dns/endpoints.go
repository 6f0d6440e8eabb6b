package dns

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// slice is an EndpointSlice with what names need of it.
type slice struct {
	objects.Sourced[*discoveryv1.EndpointSlice]
	ports []port
}

// slicesOf lists the slices of each Service. Those of names have no addresses.
func slicesOf(set *objects.Set) map[objects.Name][]slice {
	out := make(map[objects.Name][]slice, len(set.Services))
	for _, src := range set.EndpointSlices {
		if s := src.Object; isAddresses(s) {
			out[objects.ServiceOf(s)] = append(out[objects.ServiceOf(s)], newSlice(src))
		}
	}
	return out
}

func isAddresses(s *discoveryv1.EndpointSlice) bool {
	return s.AddressType != discoveryv1.AddressTypeFQDN
}

func newSlice(src objects.Sourced[*discoveryv1.EndpointSlice]) slice {
	x := slice{Sourced: src}
	for _, p := range src.Object.Ports {
		x.ports = append(x.ports, portOf(value(p.Name), string(value(p.Protocol)), value(p.Port)))
	}
	return x
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// named is an endpoint with its name.
type named struct {
	name    string
	address netip.Addr
	at      ir.Origin
}

// endpoints makes the records of a Service's ready endpoints. A headless Service's own name
// and its ports lead to them.
func (m *maker) endpoints(s *corev1.Service, service string, at ir.Origin, headless bool) {
	answers := make(map[port]int)
	var lists [][]named
	all := m.slices[objects.NameOf(s)]
	delete(m.slices, objects.NameOf(s))
	for i := range all {
		list := m.named(&all[i], service)
		lists = append(lists, list)
		for _, p := range all[i].ports {
			answers[port{name: p.name, protocol: p.protocol}] += len(list)
		}
	}
	for i, list := range lists {
		for _, e := range list {
			m.address(e.name, e.address, e.at)
			m.pointers = append(m.pointers, pointer{of: e.address, endpoint: true, Record: m.newPointer(e.address, e.name, e.at)})
			if !headless {
				continue
			}
			m.address(service, e.address, e.at)
			for _, p := range all[i].ports {
				m.port(service, e.name, p, answers[port{name: p.name, protocol: p.protocol}], e.at)
			}
		}
	}
}

// rest makes the names of the addresses in slices of Services that have no endpoints' names,
// as those of type ExternalName, or that are not there: CoreDNS answers with them, though
// these names have no addresses.
func (m *maker) rest() {
	for _, of := range slices.SortedFunc(maps.Keys(m.slices), objects.Name.Compare) {
		service := of.Name + "." + of.Namespace + ".svc." + m.zone
		if !isLabel(of.Name) || !isLabel(of.Namespace) {
			continue // a slice of no Service
		}
		for i := range m.slices[of] {
			for _, e := range m.named(&m.slices[of][i], service) {
				m.pointers = append(m.pointers, pointer{of: e.address, endpoint: true, Record: m.newPointer(e.address, e.name, e.at)})
			}
		}
	}
}

// named returns the ready endpoints of a slice, one for each address.
func (m *maker) named(x *slice, service string) []named {
	var out []named
	at := objects.Origin("EndpointSlice", x.Sourced)
	for i := range x.Object.Endpoints {
		e := &x.Object.Endpoints[i]
		if e.Conditions.Ready != nil && !*e.Conditions.Ready {
			continue
		}
		for _, text := range e.Addresses {
			a, err := netip.ParseAddr(text)
			if err != nil || a.Zone() != "" {
				continue // the compiler says so
			}
			label := value(e.Hostname)
			if label == "" {
				label = addressName(a)
			}
			name := label + "." + service
			if !isLabel(label) || len(name)-1 > longestName {
				m.diags.Add(diag.NoDNSRecord, at.At(fmt.Sprintf("endpoints[%d]", i)), fmt.Sprintf("%.300q is no DNS name", name))
				continue
			}
			out = append(out, named{name, a, at})
		}
	}
	return out
}
