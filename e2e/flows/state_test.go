package flows

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/ir"
)

// family has the addresses of the tests in one IP family.
type family struct {
	ip        corev1.IPFamily
	slices    discoveryv1.AddressType
	clusterIP string
	balancer  string
	external  string
	node      string
	// elsewhere is a machine outside the cluster.
	elsewhere string
	client    string
	// pod has the number of a pod for its last part.
	pod string
}

var families = []family{
	{
		ip: corev1.IPv4Protocol, slices: discoveryv1.AddressTypeIPv4, clusterIP: "10.96.0.10", balancer: "198.51.100.10",
		external: "203.0.113.200", node: "192.0.2.11", elsewhere: "203.0.113.50", client: "203.0.113.7", pod: "10.1.0.%d",
	},
	{
		ip: corev1.IPv6Protocol, slices: discoveryv1.AddressTypeIPv6, clusterIP: "fd00:96::10", balancer: "2001:db8:1::10",
		external: "2001:db8:2::200", node: "2001:db8::11", elsewhere: "2001:db8:2::50", client: "2001:db8:2::7", pod: "fd00:10:1::%d",
	},
}

// port is a port of the Service, and of its endpoints.
type port struct {
	name           string
	protocol       ir.Protocol
	kube           corev1.Protocol
	number         uint16
	nodePort       uint16
	endpointNumber uint16
}

var ports = []port{
	{"dns", ir.UDP, corev1.ProtocolUDP, 53, 30053, 5353},
	{"log", ir.UDP, corev1.ProtocolUDP, 514, 30514, 5514},
	{"sig", ir.SCTP, corev1.ProtocolSCTP, 36412, 30412, 5412},
}

// pods is how many pods may be endpoints; flows go to two more.
const pods = 6

// state is a Service with its slices.
type state struct {
	family
	service *corev1.Service
	slices  []*discoveryv1.EndpointSlice
	// conditions are those of each endpoint, by its address; a port that a slice
	// does not have has no endpoints.
	conditions map[netip.Addr]discoveryv1.EndpointConditions
	served     map[string]bool
}

// newState is a state at random. In one of three or so no endpoint serves.
func newState(seed uint64) *state {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &state{
		family: families[rng.IntN(len(families))], conditions: make(map[netip.Addr]discoveryv1.EndpointConditions),
		served: make(map[string]bool),
	}
	s.service = s.randomService(rng)
	if rng.IntN(8) > 0 { // else it has no slice yet
		s.addSlices(rng)
	}
	return s
}

func (s *state) randomService(rng *rand.Rand) *corev1.Service {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "dns"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, ClusterIP: s.clusterIP, ClusterIPs: []string{s.clusterIP}, ExternalIPs: []string{s.external},
		IPFamilies: []corev1.IPFamily{s.ip},
	}}
	for _, p := range ports {
		svc.Spec.Ports = append(svc.Spec.Ports, corev1.ServicePort{Name: p.name, Protocol: p.kube, Port: int32(p.number), NodePort: int32(p.nodePort)})
	}
	svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: s.balancer}}
	if rng.IntN(2) == 0 {
		svc.Spec.ExternalTrafficPolicy, svc.Spec.HealthCheckNodePort = corev1.ServiceExternalTrafficPolicyLocal, 31090
	}
	if rng.IntN(2) == 0 {
		local := corev1.ServiceInternalTrafficPolicyLocal
		svc.Spec.InternalTrafficPolicy = &local
	}
	svc.Spec.PublishNotReadyAddresses = rng.IntN(8) == 0
	return svc
}

// addSlices adds a slice, and sometimes a second one with copies of its endpoints
// that terminate: those of pods whose addresses others have now.
func (s *state) addSlices(rng *rand.Rand) {
	first := s.newSlice("dns-a")
	for _, p := range ports {
		if rng.IntN(6) == 0 {
			continue
		}
		s.served[p.name] = true
		name, proto, number := p.name, p.kube, int32(p.endpointNumber)
		first.Ports = append(first.Ports, discoveryv1.EndpointPort{Name: &name, Protocol: &proto, Port: &number})
	}
	second := s.newSlice("dns-b")
	second.Ports = first.Ports
	hinted, none := rng.IntN(2) == 0, rng.IntN(5) == 0
	for i := range pods {
		if rng.IntN(4) == 0 {
			continue
		}
		e := s.endpoint(rng, i+1, !none)
		if hinted {
			e.Hints = &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: *e.NodeName}}, ForZones: []discoveryv1.ForZone{{Name: "z" + *e.NodeName}}}
		}
		s.conditions[netip.MustParseAddr(e.Addresses[0])] = e.Conditions
		first.Endpoints = append(first.Endpoints, e)
		if !*e.Conditions.Terminating && rng.IntN(4) == 0 {
			serving := rng.IntN(2) == 0
			e.Conditions = conditions(false, serving, true)
			second.Endpoints = append(second.Endpoints, e)
		}
	}
	s.slices = []*discoveryv1.EndpointSlice{first, second}
	rng.Shuffle(2, func(i, j int) { s.slices[i], s.slices[j] = s.slices[j], s.slices[i] })
}

func (s *state) newSlice(name string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "n", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "dns"}},
		AddressType: s.family.slices,
	}
}

// endpoint is one whose conditions are those that the controller writes.
func (s *state) endpoint(rng *rand.Rand, number int, mayServe bool) discoveryv1.Endpoint {
	on := []string{"a", "b"}[rng.IntN(2)]
	serving, terminating := mayServe && rng.IntN(3) > 0, rng.IntN(3) == 0
	ready := serving && !terminating && rng.IntN(4) > 0 || s.service.Spec.PublishNotReadyAddresses
	return discoveryv1.Endpoint{
		Addresses: []string{fmt.Sprintf(s.pod, number)}, NodeName: &on, Conditions: conditions(ready, serving, terminating),
	}
}

func conditions(ready, serving, terminating bool) discoveryv1.EndpointConditions {
	return discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
}

// serving are the addresses of the port's endpoints that serve.
func (s *state) serving(p port) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	for addr, c := range s.conditions {
		if s.served[p.name] && *c.Serving {
			out[addr] = true
		}
	}
	return out
}
