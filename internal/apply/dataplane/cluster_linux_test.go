package dataplane_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// namespace is that of all objects here, and nodeName the node that serves.
const (
	namespace = "shop"
	nodeName  = "n"
)

// others is how many Services there may be that come, go and change.
const others = 30

// serviceObject is a Service of one port, "http".
func serviceObject(name, clusterIP string, port int32, with func(*corev1.Service)) objects.Sourced[*corev1.Service] {
	family := corev1.IPv4Protocol
	if netip.MustParseAddr(clusterIP).Is6() {
		family = corev1.IPv6Protocol
	}
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}, IPFamilies: []corev1.IPFamily{family},
			Ports: []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: port, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	if with != nil {
		with(s)
	}
	return objects.Sourced[*corev1.Service]{Object: s}
}

// sliceObject has the endpoints of a Service; those in 10.1.0.0/24 and
// fd00:10:1::/64 are the node's own.
func sliceObject(service string, addresses ...string) objects.Sourced[*discoveryv1.EndpointSlice] {
	name, proto, port := "http", corev1.ProtocolTCP, int32(8080)
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: service + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Protocol: &proto, Port: &port}},
	}
	for _, a := range addresses {
		node := "elsewhere"
		if addr := netip.MustParseAddr(a); addr.Is6() {
			s.AddressType = discoveryv1.AddressTypeIPv6
			if netip.MustParsePrefix("fd00:10:1::/64").Contains(addr) {
				node = nodeName
			}
		} else if netip.MustParsePrefix("10.1.0.0/24").Contains(addr) {
			node = nodeName
		}
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, NodeName: &node})
	}
	return objects.Sourced[*discoveryv1.EndpointSlice]{Object: s}
}

// steadyCluster has a node and Services of every kind, which nothing changes.
func steadyCluster() (objects.Set, objects.Config) {
	node := func(name, ip, ip6, cidr, cidr6 string) objects.Sourced[*corev1.Node] {
		return objects.Sourced[*corev1.Node]{Object: &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.NodeSpec{PodCIDRs: []string{cidr, cidr6}},
			Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}, {Type: corev1.NodeInternalIP, Address: ip6}}},
		}}
	}
	var set objects.Set
	set.Nodes = append(set.Nodes,
		node(nodeName, "192.168.9.1", "fd00:9::1", "10.1.0.0/24", "fd00:10:1::/64"),
		node("elsewhere", "192.168.9.2", "fd00:9::2", "10.1.1.0/24", "fd00:10:1:1::/64"))
	set.Services = append(set.Services,
		serviceObject("web", "10.96.0.1", 80, func(s *corev1.Service) {
			s.Spec.Type = corev1.ServiceTypeNodePort
			s.Spec.Ports[0].NodePort = 30080
		}),
		serviceObject("edge", "10.96.0.2", 80, func(s *corev1.Service) {
			s.Spec.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Spec.Ports[0].NodePort = 30081
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.2"}}
		}),
		serviceObject("cart", "10.96.0.3", 90, func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }),
		serviceObject("six", "fd00:96::1", 80, nil))
	set.EndpointSlices = append(set.EndpointSlices,
		sliceObject("web", "10.1.0.2", "10.1.1.2", "10.1.1.3"),
		sliceObject("edge", "10.1.0.3", "10.1.1.4"),
		sliceObject("cart", "10.1.0.4", "10.1.1.5", "10.1.1.6"),
		sliceObject("six", "fd00:10:1::2", "fd00:10:1:1::2"))
	config := objects.Config{
		ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:10:1::/48")},
		ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("fd00:96::/112")},
	}
	return set, config
}

// steadyFlows go to those Services, from everywhere. No two come from one address:
// IPVS knows a reply by the client's address and port and the endpoint's, and the
// client's kernel may choose one port for connections to two virtual addresses.
func steadyFlows() []testkit.Flow {
	var out []testkit.Flow
	for i, dst := range []string{"10.96.0.1:80", "192.168.9.1:30080", "203.0.113.2:80", "10.96.0.2:80", "10.96.0.3:90", "[fd00:96::1]:80"} {
		to := netip.MustParseAddrPort(dst)
		for j := range 6 {
			f := testkit.Flow{Dst: to.Addr(), Port: to.Port(), Protocol: ir.TCP, From: eval.FromOutside}
			outside, pod := "192.0.2.%d", "10.1.0.%d"
			if to.Addr().Is6() {
				outside, pod = "2001:db8:2::%d", "fd00:10:1::%d"
			}
			f.Src = netip.MustParseAddr(fmt.Sprintf(outside, 10+6*i+j))
			// ClusterIPs are for pods first of all, nodePorts for others.
			if j%2 == 0 && i != 1 {
				f.From, f.Src = eval.FromPod, netip.MustParseAddr(fmt.Sprintf(pod, 20+6*i+j))
			}
			out = append(out, f)
		}
	}
	return out
}

// otherUpdate changes one of the other Services: it comes, it goes, or its
// endpoints change.
func otherUpdate(rng *rand.Rand) compiler.Update {
	i := rng.IntN(others)
	name := fmt.Sprintf("other-%02d", i)
	service := serviceObject(name, fmt.Sprintf("10.96.1.%d", i), 80, func(s *corev1.Service) {
		switch i % 4 {
		case 0:
			s.Spec.Type = corev1.ServiceTypeNodePort
			s.Spec.Ports[0].NodePort = int32(31000 + i)
		case 1:
			s.Spec.Type = corev1.ServiceTypeLoadBalancer
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Spec.Ports[0].NodePort = int32(31000 + i)
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: fmt.Sprintf("203.0.113.%d", 100+i)}}
		case 2:
			s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		}
	})
	var endpoints []string
	for n := range 20 {
		if rng.IntN(6) == 0 {
			endpoints = append(endpoints, fmt.Sprintf("10.1.%d.%d", 2+n%3, 10+n))
		}
	}
	slice := sliceObject(name, endpoints...)
	u := compiler.Update{Slices: []compiler.SliceUpdate{{Name: objects.Name{Namespace: namespace, Name: name + "-1"}, Slice: slice}}}
	if rng.IntN(3) > 0 {
		u.Services = []compiler.ServiceUpdate{{Name: objects.Name{Namespace: namespace, Name: name}, Service: service}}
	}
	if rng.IntN(4) == 0 {
		return compiler.Update{Services: []compiler.ServiceUpdate{{Name: objects.Name{Namespace: namespace, Name: name}}}}
	}
	return u
}
