package poison

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
)

// Limits returns Services that exceed the limits of a backend, so that its Check
// names them.
func Limits() []Object {
	return []Object{
		wide("affinity of 9,000 endpoints", 90, 100, func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }),
		wide("1,030 ports with local endpoints only", 1030, 2, func(s *corev1.Service) {
			s.Spec.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Spec.AllocateLoadBalancerNodePorts = new(bool)
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.66"}}
		}),
	}
}

// wide returns a Service with many ports and endpoints, the first of them on Node.
func wide(kind string, ports, endpoints int, with func(*corev1.Service)) Object {
	o := service(kind, "10.96.66.66", with)
	o.Service.Spec.Ports, o.Slice.Ports, o.Slice.Endpoints = nil, nil, nil
	protocol := corev1.ProtocolTCP
	for i := range ports {
		name, port := fmt.Sprintf("p%d", i), int32(1000+i)
		o.Service.Spec.Ports = append(o.Service.Spec.Ports, corev1.ServicePort{Name: name, Protocol: protocol, Port: port, TargetPort: intstr.FromInt32(port)})
		o.Slice.Ports = append(o.Slice.Ports, discoveryv1.EndpointPort{Name: &name, Protocol: &protocol, Port: &port})
	}
	node, elsewhere := Node, "elsewhere"
	for i := range endpoints {
		e := discoveryv1.Endpoint{Addresses: []string{fmt.Sprintf("10.1.1.%d", 100+i)}, NodeName: &elsewhere}
		if i == 0 {
			e = discoveryv1.Endpoint{Addresses: []string{"10.1.0.2"}, NodeName: &node}
		}
		o.Slice.Endpoints = append(o.Slice.Endpoints, e)
	}
	return o
}

// Add puts the object into a set.
func (o *Object) Add(set *objects.Set) {
	u := o.Come(*set)
	if u.Others != nil {
		*set = *u.Others
	}
	for _, s := range u.Services {
		set.Services = append(set.Services, s.Service)
	}
	for _, s := range u.Slices {
		set.EndpointSlices = append(set.EndpointSlices, s.Slice)
	}
}
