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
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
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
			Name: objects.NameOf(&changed), Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &changed},
		}}})
		if len(d.After.Frontends) != 1 {
			t.Fatalf("the fragment has %d frontends", len(d.After.Frontends))
		}
	})
}

// TestOthersAddressOnAnotherPort wants a ClusterIP to be its Service's on every
// port, also in what changes when the Service comes and goes.
func TestOthersAddressOnAnotherPort(t *testing.T) {
	const address = "10.96.0.10"
	owner := clusterIPService("dns", address, 53)
	bait := clusterIPService("bait", "10.96.0.11", 8080)
	bait.Spec.ExternalIPs = []string{address, "192.0.2.7"}
	bait.CreationTimestamp = metav1.NewTime(time.Unix(1, 0))
	node := clustergen.Objects(clustergen.Size{}).Nodes[0]
	set := objects.Set{
		Nodes:    []objects.Sourced[*corev1.Node]{node},
		Services: []objects.Sourced[*corev1.Service]{{Object: bait}, {Object: owner}},
	}
	name := node.Object.Name
	program, diags := compiler.Compile(compiler.Input{Objects: &set, Node: name})
	if got := externalIPs(program); !slices.Equal(got, []string{"192.0.2.7"}) {
		t.Errorf("external IPs %v are served, want the one that is no ClusterIP", got)
	}
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.ClaimedFrontend }) {
		t.Errorf("nothing is said: %v", diags)
	}
	x := compiler.NewIncremental(&set, name, objects.Config{})
	for _, there := range []bool{false, true} {
		u := compiler.ServiceUpdate{Name: objects.NameOf(owner)}
		want := []string{address, "192.0.2.7"}
		if there {
			u.Service, want = objects.Sourced[*corev1.Service]{Object: owner}, []string{"192.0.2.7"}
		}
		delta := x.Apply(compiler.Update{Services: []compiler.ServiceUpdate{u}})
		if got := externalIPs(x.Program()); !slices.Equal(got, want) {
			t.Errorf("owner %v: external IPs %v are served, want %v", there, got, want)
		}
		if got := externalIPs(delta.After); !slices.Equal(got, want) {
			t.Errorf("owner %v: the change has external IPs %v, want %v", there, got, want)
		}
	}
}

func clusterIPService(name, address string, port int32) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, CreationTimestamp: metav1.NewTime(time.Unix(2, 0))},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: address, ClusterIPs: []string{address},
			Ports: []corev1.ServicePort{{Name: "p", Port: port, Protocol: corev1.ProtocolTCP}},
		},
	}
}

func externalIPs(p *ir.Program) []string {
	var out []string
	for i := range p.Frontends {
		if f := &p.Frontends[i]; f.Kind == ir.ExternalIP {
			out = append(out, f.Match.Address.String())
		}
	}
	slices.Sort(out)
	return out
}
