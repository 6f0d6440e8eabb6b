package service

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// labelHeadless marks slices that proxies ignore (KEP-4762).
const labelHeadless = "service.kubernetes.io/headless"

// slice joins a slice with its Service, if there is one.
func (a *analysis) slice(services map[objects.Name]*service, src objects.Sourced[*discoveryv1.EndpointSlice]) {
	if headless(src.Object) {
		return
	}
	origin := objects.Origin("EndpointSlice", src)
	owner := objects.OwnerOf(src.Object)
	if owner.Name == "" {
		a.diags.Add(diag.OrphanSlice, origin, "no label "+discoveryv1.LabelServiceName)
		return
	}
	// Without a Service, slices have no rules.
	if s := services[owner]; s != nil {
		a.join(s, src, origin, false)
	}
}

func headless(s *discoveryv1.EndpointSlice) bool {
	_, is := s.Labels[labelHeadless]
	return is
}

// join adds to every port of a Service the endpoints of slice ports with its name and protocol. plain is
// true only if [Plain] holds for the slice.
func (a *analysis) join(s *service, src objects.Sourced[*discoveryv1.EndpointSlice], origin ir.Origin, plain bool) {
	if s.reserved {
		return
	}
	obj := src.Object
	family, ok := a.family(obj, origin)
	if !ok {
		return
	}
	shared := a.memory.origins.one()
	*shared = origin
	endpoints := a.endpoints(s, obj, family, shared, plain)
	for i := range obj.Ports {
		// The last port may keep the list without a copy.
		keep := i == len(obj.Ports)-1
		if p, number := a.slicePort(s, &obj.Ports[i], origin, i); p != nil {
			a.add(s, p, endpoints, keep, family, number)
		}
	}
}

// settle brings a Service whose slices are joined into its final form.
func (a *analysis) settle(s *service) {
	s.boundEndpoints(&a.diags)
	for i := range s.ports {
		for _, f := range ir.Families() {
			settleEndpoints(&s.ports[i], f, &a.diags)
			s.preferCluster(*s.ports[i].endpoints.of(f))
		}
	}
}

func (a *analysis) family(obj *discoveryv1.EndpointSlice, origin ir.Origin) (ir.Family, bool) {
	switch obj.AddressType {
	case discoveryv1.AddressTypeIPv4:
		return ir.IPv4, true
	case discoveryv1.AddressTypeIPv6:
		return ir.IPv6, true
	}
	a.diags.Add(diag.BadAddressType, origin.At("addressType"), fmt.Sprintf("addressType %q is left out", clip(string(obj.AddressType))))
	return 0, false
}

// endpoints reads the slice's endpoints, without ports.
func (a *analysis) endpoints(s *service, obj *discoveryv1.EndpointSlice, family ir.Family, slice *ir.Origin, plain bool) []endpoint {
	out := a.memory.endpoints.take(len(obj.Endpoints))
	remote, foreignNodes := false, false
	if !plain {
		remote, foreignNodes = a.ofCluster(s, obj)
	}
	for i := range obj.Endpoints {
		in := &obj.Endpoints[i]
		// Only the first address counts (KEP-752: others have no meaning).
		if len(in.Addresses) == 0 {
			continue
		}
		addr, err := parseAddr(in.Addresses[0])
		if err == nil && ir.FamilyOf(addr) != family {
			err = fmt.Errorf("%v in a slice of %v", addr, family)
		}
		if err == nil {
			err = checkEndpointAddr(addr)
		}
		if err != nil {
			a.diags.Add(diag.BadEndpoint, slice.At(ir.EndpointPath(i)), err.Error())
			continue
		}
		e := readEndpoint(in, addr)
		e.slice, e.element, e.remote = slice, i, remote
		if foreignNodes {
			e.node, e.hints = "", withoutNodes(e.hints)
		}
		out = append(out, e)
	}
	return out
}

// slicePort returns the Service port of the same name and protocol, or nil, and the number of the
// slice port. A slice port without a number means "all ports", which proxies ignore.
func (a *analysis) slicePort(s *service, in *discoveryv1.EndpointPort, slice ir.Origin, i int) (*port, uint16) {
	if in.Port == nil || in.Name == nil || *in.Port == 0 {
		return nil, 0
	}
	number, err := portNumber(*in.Port)
	protocol := ir.TCP
	if err == nil && in.Protocol != nil {
		protocol, err = protocolOf(*in.Protocol)
	}
	if err != nil {
		a.diags.Add(diag.BadSlicePort, slice.At("ports["+strconv.Itoa(i)+"]"), err.Error())
		return nil, 0
	}
	if p := s.portNamed(*in.Name); p != nil && p.id.Protocol == protocol {
		return p, number
	}
	return nil, 0
}

// add adds a slice's endpoints to a port.
func (a *analysis) add(s *service, p *port, endpoints []endpoint, keep bool, family ir.Family, number uint16) {
	if s.joined += len(endpoints); s.joined > maxEndpoints {
		return
	}
	if !keep {
		endpoints = append(a.memory.endpoints.take(len(endpoints)), endpoints...)
	}
	for i := range endpoints {
		endpoints[i].address = netip.AddrPortFrom(endpoints[i].address.Addr(), number)
	}
	// This is usually the only slice of the port.
	if list := p.endpoints.of(family); len(*list) == 0 {
		*list = slices.Clip(endpoints)
	} else {
		*list = append(*list, endpoints...)
	}
}
