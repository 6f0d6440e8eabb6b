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

// joinSlices adds to every Service port the endpoints of slice ports with
// its name and protocol.
func joinSlices(services map[objects.Name]*service, in []objects.Sourced[*discoveryv1.EndpointSlice], cluster string, unique bool, diags *diag.List) {
	j := joiner{services: services, cluster: cluster, diags: diags}
	for _, src := range dedupe("EndpointSlice", in, unique, diags) {
		j.slice(src)
	}
	for _, s := range services {
		s.boundEndpoints(diags)
		for i := range s.ports {
			for _, f := range ir.Families() {
				settleEndpoints(&s.ports[i], f, diags)
				s.preferCluster(*s.ports[i].endpoints.of(f))
			}
		}
	}
}

// joiner holds what the slices of a cluster share.
type joiner struct {
	services map[objects.Name]*service
	// cluster is the own cluster's name, or "".
	cluster string
	diags   *diag.List
	// paths caches "endpoints[0]", "endpoints[1]" ... for all slices.
	paths []string
}

func (j *joiner) slice(src objects.Sourced[*discoveryv1.EndpointSlice]) {
	obj := src.Object
	if _, headless := obj.Labels[labelHeadless]; headless {
		return
	}
	origin := objects.Origin("EndpointSlice", src)
	owner := objects.OwnerOf(obj)
	if owner.Name == "" {
		j.diags.Add(diag.OrphanSlice, origin, "no label "+discoveryv1.LabelServiceName)
		return
	}
	// Without a Service, slices have no rules.
	s := j.services[owner]
	if s == nil || s.reserved {
		return
	}
	family, ok := j.family(obj, origin)
	if !ok {
		return
	}
	endpoints := j.endpoints(s, obj, family, &origin)
	for i := range obj.Ports {
		// The last port may keep the list without a copy.
		keep := i == len(obj.Ports)-1
		j.port(s, &obj.Ports[i], endpoints, keep, family, origin.At("ports["+strconv.Itoa(i)+"]"))
	}
}

func (j *joiner) family(obj *discoveryv1.EndpointSlice, origin ir.Origin) (ir.Family, bool) {
	switch obj.AddressType {
	case discoveryv1.AddressTypeIPv4:
		return ir.IPv4, true
	case discoveryv1.AddressTypeIPv6:
		return ir.IPv6, true
	}
	j.diags.Add(diag.BadAddressType, origin.At("addressType"), fmt.Sprintf("addressType %q is left out", clip(string(obj.AddressType))))
	return 0, false
}

// endpoints reads the slice's endpoints, without ports.
func (j *joiner) endpoints(s *service, obj *discoveryv1.EndpointSlice, family ir.Family, slice *ir.Origin) []endpoint {
	out := make([]endpoint, 0, len(obj.Endpoints))
	remote, foreignNodes := j.ofCluster(s, obj)
	for i := range obj.Endpoints {
		in := &obj.Endpoints[i]
		path := j.path(i)
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
			j.diags.Add(diag.BadEndpoint, slice.At(path), err.Error())
			continue
		}
		e := readEndpoint(in, addr)
		e.slice, e.path, e.remote = slice, path, remote
		if foreignNodes {
			e.node, e.hints = "", withoutNodes(e.hints)
		}
		out = append(out, e)
	}
	return out
}

func (j *joiner) path(i int) string {
	for len(j.paths) <= i {
		j.paths = append(j.paths, "endpoints["+strconv.Itoa(len(j.paths))+"]")
	}
	return j.paths[i]
}

// port adds the endpoints to the Service port of the same name and protocol.
// A slice port without a number means "all ports", which proxies ignore.
func (j *joiner) port(s *service, in *discoveryv1.EndpointPort, endpoints []endpoint, keep bool, family ir.Family, at ir.Origin) {
	if in.Port == nil || in.Name == nil || *in.Port == 0 {
		return
	}
	number, err := portNumber(*in.Port)
	if err != nil {
		j.diags.Add(diag.BadSlicePort, at, err.Error())
		return
	}
	protocol := ir.TCP
	if in.Protocol != nil {
		if protocol, err = protocolOf(*in.Protocol); err != nil {
			j.diags.Add(diag.BadSlicePort, at, err.Error())
			return
		}
	}
	i, known := s.byName[portName{*in.Name, protocol}]
	if !known {
		return
	}
	p := &s.ports[i]
	if s.joined += len(endpoints); s.joined > maxEndpoints {
		return
	}
	if !keep {
		endpoints = slices.Clone(endpoints)
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
