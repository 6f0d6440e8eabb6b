package compiler_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

func of[T any](o T) objects.Sourced[T] { return objects.Sourced[T]{Object: o} }

func codes(list diag.List) []diag.Code {
	var out []diag.Code
	for _, d := range list {
		if d.Severity() == diag.Error {
			out = append(out, d.Code)
		}
	}
	return out
}

// wideService has n external IPs and n ports.
func wideService(n int) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "wide"}}
	s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.96.0.9", []string{"10.96.0.9"}
	for i := range n {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(1 + i), Protocol: corev1.ProtocolTCP})
		s.Spec.ExternalIPs = append(s.Spec.ExternalIPs, netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}).String())
	}
	return s
}

// TestServiceOverBudget wants a Service of too many frontends refused whole, and
// one of too many endpoints without any.
func TestServiceOverBudget(t *testing.T) {
	small := &objects.Set{Services: []objects.Sourced[*corev1.Service]{of(wideService(80))}}
	if p, diags := compiler.Compile(compiler.Input{Objects: small}); len(p.Frontends) != 80*81 || slices.Contains(codes(diags), diag.FrontendBudget) {
		t.Errorf("%d frontends, %v", len(p.Frontends), codes(diags))
	}
	wide := &objects.Set{Services: []objects.Sourced[*corev1.Service]{of(wideService(400))}}
	p, diags := compiler.Compile(compiler.Input{Objects: wide})
	if len(p.Frontends) != 0 || !slices.Equal(p.ClusterIPs, []netip.Addr{netip.MustParseAddr("10.96.0.9")}) || !slices.Contains(codes(diags), diag.FrontendBudget) {
		t.Errorf("%d frontends, ClusterIPs %v, %v", len(p.Frontends), p.ClusterIPs, codes(diags))
	}
	cluster := compiler.Prepare(wide, objects.Config{})
	if shared, _ := cluster.Program("n1"); len(shared.ClusterIPs) != 1 {
		t.Errorf("ClusterIPs %v in the program of one of many nodes", shared.ClusterIPs)
	}

	s := wideService(300)
	s.Spec.ExternalIPs = nil
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4, ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "wide-1", Labels: map[string]string{discoveryv1.LabelServiceName: "wide"},
	}}
	for i := range 1000 {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{netip.AddrFrom4([4]byte{10, 244, byte(i >> 8), byte(i)}).String()}})
	}
	for i := range s.Spec.Ports {
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &s.Spec.Ports[i].Name, Port: &s.Spec.Ports[i].Port})
	}
	many := &objects.Set{Services: []objects.Sourced[*corev1.Service]{of(s)}, EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{of(slice)}}
	p, diags = compiler.Compile(compiler.Input{Objects: many})
	if !slices.Contains(codes(diags), diag.EndpointBudget) || len(p.Frontends) != 300 {
		t.Errorf("%d frontends, %v", len(p.Frontends), codes(diags))
	}
	for _, pool := range p.Pools {
		if len(pool.Endpoints) > 0 {
			t.Fatalf("pool %s has %d endpoints", pool.ID, len(pool.Endpoints))
		}
	}
}

// TestPolicyOverBudget wants a policy of too many peers and ports to isolate and
// to accept nothing.
func TestPolicyOverBudget(t *testing.T) {
	for _, c := range []struct {
		rules int
		over  bool
	}{{300, false}, {2500, true}} {
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "wide"}}
		policy.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		for i := range c.rules {
			port := intstr.FromInt32(int32(1 + 2*i))
			policy.Spec.Ingress = append(policy.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{
				From:  []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: fmt.Sprintf("198.51.%d.%d/32", i>>8, i&255)}}},
				Ports: []networkingv1.NetworkPolicyPort{{Port: &port}},
			})
		}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
		pod.Spec.NodeName, pod.Status.PodIPs = "n1", []corev1.PodIP{{IP: "10.244.1.5"}}
		p, diags := compiler.Compile(compiler.Input{Node: "n1", Objects: &objects.Set{
			Pods: []objects.Sourced[*corev1.Pod]{of(pod)}, NetworkPolicies: []objects.Sourced[*networkingv1.NetworkPolicy]{of(policy)},
		}})
		if over := slices.Contains(codes(diags), diag.PolicyBudget); over != c.over {
			t.Errorf("%d rules: over budget %v", c.rules, over)
		}
		if len(p.Policy.Profiles) != 1 || len(p.Policy.Profiles[0].Ingress) != 1 {
			t.Fatalf("%d rules: profiles %v", c.rules, p.Policy.Profiles)
		}
		tier := p.Policy.Profiles[0].Ingress[0]
		if tier.Default != ir.Deny || (len(tier.Rules) == 0) != c.over {
			t.Errorf("%d rules: default %v, %d rules", c.rules, tier.Default, len(tier.Rules))
		}
	}
}

// TestPoliciesOverBudget gives up the heaviest of many policies that are within their
// budgets one by one, and closes what they select; a small one stays.
func TestPoliciesOverBudget(t *testing.T) {
	set := &objects.Set{
		Nodes:      []objects.Sourced[*corev1.Node]{of(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})},
		Namespaces: []objects.Sourced[*corev1.Namespace]{of(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}})},
		Pods: []objects.Sourced[*corev1.Pod]{of(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}, Spec: corev1.PodSpec{NodeName: "n1"},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.244.0.5"}}},
		})},
	}
	add := func(name string, peers, ports int) {
		p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		var rule networkingv1.NetworkPolicyIngressRule
		for i := range peers {
			except := netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(len(set.NetworkPolicies)), byte(i), 1}), 32)
			rule.From = append(rule.From, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{except.String()}}})
		}
		for i := range ports {
			port := intstr.FromInt(1 + len(set.NetworkPolicies)*300 + 2*i)
			rule.Ports = append(rule.Ports, networkingv1.NetworkPolicyPort{Port: &port})
		}
		p.Spec.Ingress = append(p.Spec.Ingress, rule)
		set.NetworkPolicies = append(set.NetworkPolicies, of(p))
	}
	for i := range 100 {
		add(fmt.Sprintf("big-%03d", i), 50, 100)
	}
	add("small", 1, 1)
	p, diags := compiler.Compile(compiler.Input{Objects: set, Node: "n1"})
	if err := ir.Verify(p); err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, d := range diags {
		if d.Code == diag.PolicyBudget {
			named[d.Origin.Name] = true
		}
	}
	left := make(map[string]bool)
	for _, tier := range p.Policy.Profiles[0].Ingress {
		if tier.Default != ir.Deny {
			t.Errorf("what is left by %v", tier.Default)
		}
		for _, r := range tier.Rules {
			left[r.Origin.Name] = true
		}
	}
	if len(named) == 0 || named["small"] || !left["small"] || len(left)+len(named) != 101 {
		t.Errorf("%d policies are named, %d left", len(named), len(left))
	}
	x := compiler.NewIncremental(set, "n1", objects.Config{})
	if string(x.Program().Text()) != string(p.Text()) {
		t.Error("Incremental gives up others")
	}
}

// TestRangesOverBudget wants a Service whose source ranges, addresses and ports
// multiply refused, and one with the same ranges and few ports served.
func TestRangesOverBudget(t *testing.T) {
	for ports, over := range map[int]bool{4: false, 5: true} {
		s := wideService(ports)
		s.Spec.ExternalIPs = nil
		s.Spec.Type = corev1.ServiceTypeLoadBalancer
		for i := range 1000 {
			s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, fmt.Sprintf("11.%d.%d.0/25", i>>8, i&255))
		}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.9"}}
		p, diags := compiler.Compile(compiler.Input{Objects: &objects.Set{Services: []objects.Sourced[*corev1.Service]{of(s)}}})
		if (len(p.Frontends) == 0) != over || slices.Contains(codes(diags), diag.FrontendBudget) != over {
			t.Errorf("%d ports: %d frontends, %v", ports, len(p.Frontends), codes(diags))
		}
	}
}
