package synth

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// labelSkipMirror keeps the controller from making slices
// (pkg/controller/endpointslicemirroring).
const labelSkipMirror = "endpointslice.kubernetes.io/skip-mirror"

// endpointsByName finds the Endpoints objects from which a cluster makes slices.
func (m *maker) endpointsByName() map[objects.Name]objects.Sourced[*objects.Endpoints] {
	out := make(map[objects.Name]objects.Sourced[*objects.Endpoints])
	for _, e := range m.in.Endpoints {
		if e.Object.Labels[labelSkipMirror] != "true" {
			out[objects.NameOf(e.Object)] = e
		}
	}
	return out
}

// mirror makes the slices of a Service without a selector from its Endpoints: one per
// subset and family.
func (m *sliceMaker) mirror(src objects.Sourced[*corev1.Service], e objects.Sourced[*objects.Endpoints]) {
	for i := range e.Object.Subsets {
		subset := &e.Object.Subsets[i]
		var ports []discoveryv1.EndpointPort
		for _, p := range subset.Ports {
			proto := cmp.Or(p.Protocol, corev1.ProtocolTCP)
			ports = append(ports, discoveryv1.EndpointPort{Name: &p.Name, Protocol: &proto, Port: &p.Port})
		}
		for _, f := range ir.Families() {
			endpoints := append(endpointsOf(f, subset.Addresses, true), endpointsOf(f, subset.NotReadyAddresses, false)...)
			for j, part := range slices.Collect(slices.Chunk(endpoints, maxEndpoints)) {
				name := fmt.Sprintf("%s-endpoints-%v-%d-%d", src.Object.Name, f, i, j)
				m.slice(objects.Sourced[*corev1.Service]{Object: src.Object, File: e.File, Line: e.Line}, name, f, ports, part)
			}
		}
	}
	m.diags.Add(diag.MirroredEndpoints, objects.Origin("Endpoints", e), "the slices of Service "+objects.NameOf(src.Object).String()+" were made of it, as a cluster does")
}

func endpointsOf(f ir.Family, addresses []objects.EndpointAddress, ready bool) []discoveryv1.Endpoint {
	var out []discoveryv1.Endpoint
	for _, a := range addresses {
		if at := parseAll(a.IP); len(at) == 1 && ir.FamilyOf(at[0]) == f {
			out = append(out, discoveryv1.Endpoint{Addresses: []string{at[0].String()}, NodeName: a.NodeName, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
		}
	}
	return out
}
