package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// names makes Services and slices of all kinds in one namespace.
type names struct {
	*rand.Rand
	namespace string
	round     int
	pods      int
}

func (g *names) chance(n int) bool { return g.IntN(100) < n }

// pod is the address of another pod, or of one that others have too.
func (g *names) pod(t discoveryv1.AddressType) string {
	n := g.pods
	if g.pods++; g.chance(10) {
		n = g.IntN(g.pods)
	}
	if t == discoveryv1.AddressTypeIPv6 {
		return netip.AddrFrom16([16]byte{0xfd, 0x00, 0x10, byte(g.round), 14: byte(n >> 8), 15: byte(n)}).String()
	}
	return net.IPv4(10, byte(20+g.round), byte(n>>8), byte(n)).String()
}

func (g *names) create(ctx context.Context, s *stand) error {
	if _, err := s.Client().CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.namespace}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for i := range servicesNamespace {
		service := g.service(i)
		if _, err := s.Client().CoreV1().Services(g.namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("service %s: %w", service.Name, err)
		}
		for j := range g.IntN(4) {
			slice := g.slice(service, j)
			if _, err := s.Client().DiscoveryV1().EndpointSlices(g.namespace).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("slice %s: %w", slice.Name, err)
			}
		}
	}
	return nil
}

func (g *names) service(i int) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("s%d", i), Namespace: g.namespace}}
	if g.chance(12) {
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, []string{"example.com", "www.example.com.", "203.0.113.7", "a.b.svc.cluster.local"}[g.IntN(4)]
		return s
	}
	if g.chance(40) {
		s.Spec.ClusterIP = corev1.ClusterIPNone
	}
	s.Spec.IPFamilyPolicy = new([]corev1.IPFamilyPolicy{corev1.IPFamilyPolicySingleStack, corev1.IPFamilyPolicyPreferDualStack}[g.IntN(2)])
	if g.chance(20) {
		s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol}
	}
	for j := range g.IntN(4) {
		if j == 0 && s.Spec.ClusterIP == "" || j > 0 {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{
				Name: fmt.Sprintf("p%d", j), Port: int32(80 + j), Protocol: []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}[g.IntN(3)],
			})
		}
	}
	if len(s.Spec.Ports) == 0 && s.Spec.ClusterIP == "" {
		s.Spec.Ports = []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}}
	}
	return s
}

func (g *names) slice(s *corev1.Service, j int) *discoveryv1.EndpointSlice {
	t := []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}[g.IntN(2)]
	out := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", s.Name, j), Namespace: g.namespace, Labels: map[string]string{discoveryv1.LabelServiceName: s.Name}},
		AddressType: t, Endpoints: []discoveryv1.Endpoint{},
	}
	for _, p := range s.Spec.Ports {
		if g.chance(90) {
			out.Ports = append(out.Ports, discoveryv1.EndpointPort{Name: new(p.Name), Port: new(p.Port + 8000), Protocol: new(p.Protocol)})
		}
	}
	used := make(map[string]bool)
	for range g.IntN(5) {
		e := discoveryv1.Endpoint{Addresses: []string{g.pod(t)}}
		if used[e.Addresses[0]] {
			continue
		}
		used[e.Addresses[0]] = true
		if g.chance(40) {
			e.Hostname = new(fmt.Sprintf("h-%d", g.IntN(6)))
		}
		if g.chance(30) {
			e.Conditions.Ready = new(g.chance(50))
		}
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}
