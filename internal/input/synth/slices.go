package synth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// maxEndpoints is the maximum number of endpoints in a slice.
const maxEndpoints = 1000

// labelHeadless marks slices that no proxy needs (KEP-4762).
const labelHeadless = "service.kubernetes.io/headless"

// makeSlices makes the EndpointSlices of Services with a selector and without
// slices.
func (m *maker) makeSlices() {
	own := make(map[objects.Name]bool)
	for _, s := range m.in.EndpointSlices {
		own[objects.ServiceOf(s.Object)] = true
	}
	pods := slices.Clone(m.out.Set.Pods)
	slices.SortStableFunc(pods, func(a, b objects.Sourced[*corev1.Pod]) int {
		return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object))
	})
	sm := sliceMaker{serviceMaker: &serviceMaker{maker: m}, pods: objects.IndexPods(pods), nodes: make(map[string]node)}
	for _, n := range m.nodes {
		sm.nodes[n.name] = n
	}
	old := m.endpointsByName()
	for _, src := range m.out.Set.Services {
		s := src.Object
		if e, there := old[objects.NameOf(s)]; there && len(s.Spec.Selector) == 0 && !own[objects.NameOf(s)] {
			sm.mirror(src, e)
			continue
		}
		if len(s.Spec.Selector) > 0 && s.Spec.Type != corev1.ServiceTypeExternalName && !own[objects.NameOf(s)] {
			sm.service(src)
		}
	}
}

type sliceMaker struct {
	*serviceMaker
	pods  objects.PodIndex
	nodes map[string]node
}

// service makes the slices of one Service: one per family and set of numbers
// of its named ports.
func (m *sliceMaker) service(src objects.Sourced[*corev1.Service]) {
	pods := m.pods.Selected(src.Object.Namespace, src.Object.Spec.Selector)
	for _, f := range m.familiesOf(src.Object) {
		groups := make(map[string][]discoveryv1.Endpoint)
		ports := make(map[string][]discoveryv1.EndpointPort)
		for _, p := range pods {
			e, ok := m.endpoint(src.Object, p, f)
			if !ok {
				continue
			}
			list := portsOn(src.Object, p)
			key := portsText(list)
			groups[key], ports[key] = append(groups[key], e), list
		}
		for i, key := range sortedKeys(groups) {
			for j, part := range slices.Collect(slices.Chunk(groups[key], maxEndpoints)) {
				name := src.Object.Name + "-" + strings.ToLower(f.String())
				if i > 0 {
					name += fmt.Sprintf("-%08x", uint32(hash("ports", key)))
				}
				if j > 0 {
					name += fmt.Sprintf("-%d", j)
				}
				m.slice(src, name, f, ports[key], part)
			}
		}
	}
}

func (m *sliceMaker) slice(src objects.Sourced[*corev1.Service], name string, f ir.Family, ports []discoveryv1.EndpointPort, endpoints []discoveryv1.Endpoint) {
	object := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: src.Object.Namespace,
			Labels: map[string]string{discoveryv1.LabelServiceName: src.Object.Name, Label: whole},
		},
		AddressType: addressType(f), Ports: ports, Endpoints: endpoints,
	}
	if !hasClusterIP(src.Object) {
		object.Labels[labelHeadless] = ""
	}
	add(&m.out.Set.EndpointSlices, &m.out.Made.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: object, File: src.File, Line: src.Line})
}

func addressType(f ir.Family) discoveryv1.AddressType {
	if f == ir.IPv6 {
		return discoveryv1.AddressTypeIPv6
	}
	return discoveryv1.AddressTypeIPv4
}

// endpoint returns a slice's entry for a pod. A given pod counts as ready unless
// it is starting or terminating, because its own conditions are not kept.
func (m *sliceMaker) endpoint(s *corev1.Service, p *corev1.Pod, f ir.Family) (discoveryv1.Endpoint, bool) {
	var address string
	for _, ip := range p.Status.PodIPs {
		if a := parseAll(ip.IP); len(a) == 1 && ir.FamilyOf(a[0]) == f {
			address = a[0].String()
			break
		}
	}
	if address == "" {
		return discoveryv1.Endpoint{}, false
	}
	serving := p.Status.Phase != corev1.PodPending
	terminating := p.DeletionTimestamp != nil
	ready := s.Spec.PublishNotReadyAddresses || serving && !terminating
	e := discoveryv1.Endpoint{
		Addresses:  []string{address},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name},
	}
	if p.Spec.NodeName != "" {
		e.NodeName = &p.Spec.NodeName
	}
	// As shouldSetHostname in k8s.io/endpointslice.
	if p.Spec.Hostname != "" && p.Spec.Subdomain == s.Name {
		e.Hostname = &p.Spec.Hostname
	}
	zone := m.nodes[p.Spec.NodeName].zone
	if zone != "" {
		e.Zone = &zone
	}
	if d := s.Spec.TrafficDistribution; d != nil {
		e.Hints = hints(*d, zone, p.Spec.NodeName)
	}
	return e, true
}

// hints returns the hints that the slice controller writes for a traffic
// distribution (KEP-2433, KEP-3015).
func hints(distribution, zone, node string) *discoveryv1.EndpointHints {
	h := &discoveryv1.EndpointHints{}
	if zone != "" {
		h.ForZones = []discoveryv1.ForZone{{Name: zone}}
	}
	if distribution == corev1.ServiceTrafficDistributionPreferSameNode && node != "" {
		h.ForNodes = []discoveryv1.ForNode{{Name: node}}
	}
	return h
}

// portsOn returns the Service's ports with the pod's numbers; a name that the
// pod lacks is omitted (FindPort in k8s.io/kubernetes/pkg/api/v1/pod).
func portsOn(s *corev1.Service, p *corev1.Pod) []discoveryv1.EndpointPort {
	var out []discoveryv1.EndpointPort
	for i := range s.Spec.Ports {
		sp := &s.Spec.Ports[i]
		number, ok := sp.TargetPort.IntVal, true
		if sp.TargetPort.Type == intstr.String {
			number, ok = portNamed(p, sp.TargetPort.StrVal, sp.Protocol)
		}
		if ok {
			out = append(out, discoveryv1.EndpointPort{Name: &sp.Name, Protocol: &sp.Protocol, Port: &number})
		}
	}
	return out
}

// portNamed finds a port by name in a pod's containers, then in its sidecars.
func portNamed(p *corev1.Pod, name string, protocol corev1.Protocol) (int32, bool) {
	for _, port := range objects.ContainerPorts(p) {
		if port.Name == name && cmp.Or(port.Protocol, corev1.ProtocolTCP) == protocol {
			return port.ContainerPort, true
		}
	}
	return 0, false
}

func portsText(ports []discoveryv1.EndpointPort) string {
	var b strings.Builder
	for _, p := range ports {
		fmt.Fprintf(&b, "%s/%s=%d ", *p.Name, *p.Protocol, *p.Port)
	}
	return b.String()
}
