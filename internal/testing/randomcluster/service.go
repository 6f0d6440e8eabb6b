package randomcluster

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// service adds one Service and its slices.
func (g *generator) service(i int) {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("s%d", i)}}
	families := g.families
	if len(families) > 1 && g.chance(30) {
		families = families[:1]
	}
	for _, f := range families {
		s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, clusterIP(f, i).String())
	}
	s.Spec.ClusterIP = s.Spec.ClusterIPs[0]
	s.Spec.Type = oneOf(g, corev1.ServiceTypeClusterIP, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer)
	ports := g.ports(s)
	g.policies(s)
	g.outside(s, i)
	g.set.Services = append(g.set.Services, objects.Sourced[*corev1.Service]{Object: s})
	for _, f := range families {
		g.slices(s.Name, f, ports)
	}
}

func clusterIP(f ir.Family, i int) netip.Addr {
	if f == ir.IPv4 {
		return netip.MustParseAddr(fmt.Sprintf("10.96.0.%d", 10+i))
	}
	return netip.MustParseAddr(fmt.Sprintf("fd00:10:96::%x", 0x10+i))
}

// ports adds one to three ports to the Service and returns the ports of its slices.
func (g *generator) ports(s *corev1.Service) []discoveryv1.EndpointPort {
	var out []discoveryv1.EndpointPort
	for i := range 1 + g.IntN(3) {
		name := fmt.Sprintf("p%d", i)
		protocol := oneOf(g, corev1.ProtocolTCP, corev1.ProtocolTCP, corev1.ProtocolUDP)
		p := corev1.ServicePort{Name: name, Protocol: protocol, Port: int32(80 + i)}
		if s.Spec.Type != corev1.ServiceTypeClusterIP && g.chance(90) {
			g.nodePort++
			p.NodePort = 30000 + g.nodePort
		}
		s.Spec.Ports = append(s.Spec.Ports, p)
		number := int32(8080 + g.IntN(3))
		if g.chance(95) {
			out = append(out, discoveryv1.EndpointPort{Name: &name, Protocol: &protocol, Port: &number})
		}
	}
	return out
}

func (g *generator) policies(s *corev1.Service) {
	if g.chance(30) {
		local := corev1.ServiceInternalTrafficPolicyLocal
		s.Spec.InternalTrafficPolicy = &local
	}
	if g.chance(50) {
		s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	}
	if g.chance(25) {
		s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		if g.chance(50) {
			seconds := int32(60 + g.IntN(3600))
			s.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: &seconds}}
		}
	}
}

// outside adds external addresses to the Service. Some addresses are given to two
// Services, which therefore conflict.
func (g *generator) outside(s *corev1.Service, i int) {
	for _, f := range g.families {
		if g.chance(25) {
			s.Spec.ExternalIPs = append(s.Spec.ExternalIPs, g.outsideAddr(f, 200, i))
		}
		if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
			continue
		}
		for range 1 + g.IntN(2) {
			ing := corev1.LoadBalancerIngress{IP: g.outsideAddr(f, 100, i)}
			if g.chance(30) {
				mode := oneOf(g, corev1.LoadBalancerIPModeVIP, corev1.LoadBalancerIPModeProxy)
				ing.IPMode = &mode
			}
			s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress, ing)
		}
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && g.chance(40) {
		ranges := []string{"203.0.113.0/28", "203.0.113.64/26", "10.244.0.0/16", "192.0.2.0/24", "0.0.0.0/0", "2001:db8:ffff::/64", "fd00:10:244:1::/64", "203.0.113.0/29"}
		for range 1 + g.IntN(3) {
			s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, oneOf(g, ranges...))
		}
	}
}

func (g *generator) outsideAddr(f ir.Family, base, i int) string {
	if g.chance(15) {
		i = g.IntN(4)
	}
	if f == ir.IPv4 {
		return fmt.Sprintf("198.51.100.%d", base+i)
	}
	return fmt.Sprintf("2001:db8:100::%d", base+i)
}

// slices distributes endpoints over one or two slices.
func (g *generator) slices(service string, f ir.Family, ports []discoveryv1.EndpointPort) {
	hints := g.chance(30)
	for n := range 1 + g.IntN(2) {
		var endpoints []discoveryv1.Endpoint
		for range g.IntN(4) {
			endpoints = append(endpoints, g.endpoint(f, hints))
		}
		g.slice(service, n, f, ports, endpoints)
	}
}

func (g *generator) endpoint(f ir.Family, hints bool) discoveryv1.Endpoint {
	node := 1 + g.IntN(nodes)
	addr := podAddr(f, node, 1+g.IntN(4))
	if g.chance(8) {
		addr = nodeAddr(f, node)
	}
	e := discoveryv1.Endpoint{Addresses: []string{addr.String()}}
	if g.chance(95) {
		name := nodeName(node)
		e.NodeName = &name
	}
	if g.chance(40) {
		ready, serving, terminating := g.chance(50), g.chance(70), g.chance(50)
		e.Conditions = discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
	}
	if hints && g.chance(90) {
		e.Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: g.zone()}}}
		if g.chance(50) {
			e.Hints.ForNodes = []discoveryv1.ForNode{{Name: nodeName(1 + g.IntN(nodes))}}
		}
	}
	return e
}
