package poison

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/failsafe"
)

// Namespace and Name are the name of every bad object; Node is the node of its pod.
const (
	Namespace = "evil"
	Name      = "poison"
	Node      = "n"
)

// Object is a kind of object that can be bad.
type Object struct {
	Name string // the name of the subtest
	// Is is the object that is given up.
	Is failsafe.Object
	// Marker is a text that every backend emits while the object is enforced, and
	// not when it is given up.
	Marker string
	// Either Service and Slice are set, or Policy.
	Service *corev1.Service
	Slice   *discoveryv1.EndpointSlice  // the endpoints of Service
	Policy  *networkingv1.NetworkPolicy // nil if Service is set
}

// marker is an endpoint of the bad Service only, and markerPort a port of the bad
// policy only.
const (
	marker     = "10.66.66.66"
	marker6    = "fd66::66"
	markerPort = 44444
)

// Objects returns the kinds of bad objects.
func Objects() []Object {
	lb := func(s *corev1.Service) {
		s.Spec.Type = corev1.ServiceTypeLoadBalancer
		s.Spec.Ports[0].NodePort = 32766
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.66"}}
	}
	return []Object{
		service("a ClusterIP", "10.96.66.66", nil),
		service("a ClusterIP of IPv6", "fd00:96::6666", nil),
		service("a nodePort", "10.96.66.66", func(s *corev1.Service) {
			s.Spec.Type = corev1.ServiceTypeNodePort
			s.Spec.Ports[0].NodePort = 32766
		}),
		service("affinity", "10.96.66.66", func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }),
		service("source ranges", "10.96.66.66", func(s *corev1.Service) {
			lb(s)
			s.Spec.LoadBalancerSourceRanges = []string{"192.0.2.0/24"}
		}),
		service("local endpoints only", "10.96.66.66", func(s *corev1.Service) {
			lb(s)
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
		}),
		policy("ingress", networkingv1.PolicyTypeIngress),
		policy("egress", networkingv1.PolicyTypeEgress),
	}
}

func service(kind, clusterIP string, with func(*corev1.Service)) Object {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: clusterIP, ClusterIPs: []string{clusterIP},
			Ports: []corev1.ServicePort{{Name: "p", Protocol: corev1.ProtocolTCP, Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	name, protocol, port, at, family := "p", corev1.ProtocolTCP, int32(8080), marker, discoveryv1.AddressTypeIPv4
	if clusterIP == "fd00:96::6666" {
		at, family = marker6, discoveryv1.AddressTypeIPv6
		s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol}
	}
	node := Node
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: Namespace, Name: Name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: Name}},
		AddressType: family,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Protocol: &protocol, Port: &port}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{at}, NodeName: &node}},
	}
	if with != nil {
		with(s)
	}
	return Object{
		Name: "Service with " + kind, Is: failsafe.Object{Kind: failsafe.Service, Namespace: Namespace, Name: Name},
		Marker: at, Service: s, Slice: slice,
	}
}

func policy(direction string, of networkingv1.PolicyType) Object {
	port, protocol := intstr.FromInt32(markerPort), corev1.ProtocolTCP
	ports := []networkingv1.NetworkPolicyPort{{Protocol: &protocol, Port: &port}}
	p := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Name},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{of}},
	}
	if of == networkingv1.PolicyTypeIngress {
		p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{Ports: ports}}
	} else {
		p.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{Ports: ports}}
	}
	return Object{
		Name: "NetworkPolicy of " + direction, Is: failsafe.Object{Kind: "NetworkPolicy", Namespace: Namespace, Name: Name},
		Marker: "44444", Policy: p,
	}
}

// Pod returns the pod that the bad policies select; it runs on Node.
func Pod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "pod"},
		Spec:       corev1.PodSpec{NodeName: Node, Containers: []corev1.Container{{Name: "c"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.1.0.200"}}},
	}
}

// Come returns the update that adds the object. others are the objects of other
// kinds without it.
func (o *Object) Come(others objects.Set) (u compiler.Update) {
	if o.Policy != nil {
		others.NetworkPolicies = append(others.NetworkPolicies[:len(others.NetworkPolicies):len(others.NetworkPolicies)], objects.Sourced[*networkingv1.NetworkPolicy]{Object: o.Policy})
		u.Others = &others
		return u
	}
	u.Services = []compiler.ServiceUpdate{{Name: objects.Name{Namespace: Namespace, Name: Name}, Service: objects.Sourced[*corev1.Service]{Object: o.Service}}}
	u.Slices = []compiler.SliceUpdate{{Name: objects.Name{Namespace: Namespace, Name: o.Slice.Name}, Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: o.Slice}}}
	return u
}

// Changed returns a different version of the object, which is bad too.
func (o *Object) Changed() Object {
	c := *o
	if o.Policy != nil {
		c.Policy = o.Policy.DeepCopy()
		port := intstr.FromInt32(markerPort + 2)
		for i := range c.Policy.Spec.Ingress {
			c.Policy.Spec.Ingress[i].Ports = append(c.Policy.Spec.Ingress[i].Ports, networkingv1.NetworkPolicyPort{Port: &port})
		}
		for i := range c.Policy.Spec.Egress {
			c.Policy.Spec.Egress[i].Ports = append(c.Policy.Spec.Egress[i].Ports, networkingv1.NetworkPolicyPort{Port: &port})
		}
		return c
	}
	c.Service = o.Service.DeepCopy()
	c.Service.Spec.Ports[0].Port++
	return c
}

// Go returns the update that removes the object.
func (o *Object) Go(others objects.Set) (u compiler.Update) {
	if o.Policy != nil {
		u.Others = &others
		return u
	}
	u.Services = []compiler.ServiceUpdate{{Name: objects.Name{Namespace: Namespace, Name: Name}}}
	u.Slices = []compiler.SliceUpdate{{Name: objects.Name{Namespace: Namespace, Name: o.Slice.Name}}}
	return u
}
