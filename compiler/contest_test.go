package compiler_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/clustergen"
)

// TestOthersAddressesAsExternalIPs wants a change of an endpoint to cost the same
// beside a Service, older than all others, that lists every ClusterIP as one of
// its external IPs or as a load balancer's. Allocations count the work: each
// Service that is read again makes dozens.
func TestOthersAddressesAsExternalIPs(t *testing.T) {
	quiet := costOfChange(t, 1000, func([]string) *corev1.Service { return nil })
	for name, attack := range map[string]func([]string) *corev1.Service{
		"external IPs": func(ips []string) *corev1.Service {
			return &corev1.Service{Spec: corev1.ServiceSpec{ExternalIPs: ips}}
		},
		"load balancer": func(ips []string) *corev1.Service {
			s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
			for _, ip := range ips {
				s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: ip})
			}
			return s
		},
	} {
		if cost := costOfChange(t, 1000, attack); cost > quiet+20 {
			t.Errorf("%s: %v allocations for a change of one endpoint, %v without", name, cost, quiet)
		}
	}
}

// costOfChange is how many allocations a change of one endpoint makes among some
// Services and, where it is not nil, the one that attack makes of their ClusterIPs.
func costOfChange(t *testing.T, services int, attack func(clusterIPs []string) *corev1.Service) float64 {
	t.Helper()
	set := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
	var ips []string
	for _, s := range set.Services {
		ips = append(ips, s.Object.Spec.ClusterIP)
	}
	if s := attack(ips); s != nil {
		s.ObjectMeta = metav1.ObjectMeta{Namespace: "tenant", Name: "bait", CreationTimestamp: metav1.NewTime(time.Unix(1, 0))}
		s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.255.255.254", []string{"10.255.255.254"}
		first := set.Services[0].Object.Spec.Ports[0]
		s.Spec.Ports = []corev1.ServicePort{{Name: "p", Port: first.Port, Protocol: first.Protocol}}
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: s})
	}
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	slice := set.EndpointSlices[services/2]
	i := 0
	return testing.AllocsPerRun(20, func() {
		i++
		changed := *slice.Object
		changed.Endpoints = slices.Clone(changed.Endpoints)
		changed.Endpoints[2].Addresses = []string{[]string{"10.127.0.1", "10.127.0.2"}[i%2]}
		d := x.Apply(compiler.Update{Slices: []compiler.SliceUpdate{{
			Namespace: changed.Namespace, Name: changed.Name, Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &changed},
		}}})
		if len(d.After.Frontends) != 1 {
			t.Fatalf("the fragment has %d frontends", len(d.After.Frontends))
		}
	})
}
