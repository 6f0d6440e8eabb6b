package calico_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

func sourced[T any](o T) objects.Sourced[T] { return objects.Sourced[T]{Object: o} }

// large has pods in a hundred namespaces, and policies of every sort that is costly.
func large(pods, policies int) *objects.Set {
	set := &objects.Set{}
	for i := range 100 {
		name := fmt.Sprintf("ns-%d", i)
		set.Namespaces = append(set.Namespaces, sourced(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": fmt.Sprintf("t%d", i%10)}}}))
		set.Nodes = append(set.Nodes, sourced(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i)}}))
		set.CalicoNetworkSets = append(set.CalicoNetworkSets, sourced(&calicov3.NetworkSet{
			ObjectMeta: metav1.ObjectMeta{Name: "set", Namespace: name, Labels: map[string]string{"kind": "partner"}},
			Spec:       calicov3.NetworkSetSpec{Nets: []string{fmt.Sprintf("198.51.%d.0/24", i)}},
		}))
	}
	for i := range pods {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: fmt.Sprintf("ns-%d", i%100), Labels: map[string]string{"app": fmt.Sprintf("a%d", i%250), "tier": "back"}}}
		p.Spec.NodeName, p.Spec.ServiceAccountName = fmt.Sprintf("node-%d", i/100%100), "keeper"
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: int32(8000 + i%5), Protocol: corev1.ProtocolTCP}}}}
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}}
		set.Pods = append(set.Pods, sourced(p))
	}
	tcp := intstr.FromString("TCP")
	for i := range policies {
		spec := calicov3.PolicySpec{
			Selector: fmt.Sprintf("app in {'a%d','a%d'} && tier == 'back'", i%250, i%249), Types: []string{"Ingress", "Egress"},
			Ingress: []calicov3.Rule{
				{Action: "Allow", Protocol: &tcp, Source: calicov3.Entity{Selector: fmt.Sprintf("app == 'a%d'", i%250)}, Destination: calicov3.Entity{Ports: []intstr.IntOrString{intstr.FromString("http")}}},
				{Action: "Deny", Source: calicov3.Entity{Selector: "kind == 'partner'", NotNets: []string{"10.0.0.0/8"}}},
				{Action: "Allow", Source: calicov3.Entity{NamespaceSelector: fmt.Sprintf("team == 't%d'", i%10)}},
			},
			Egress: []calicov3.Rule{
				{Action: "Allow", Protocol: &tcp, Destination: calicov3.Entity{Selector: fmt.Sprintf("app == 'a%d'", i%250), Ports: []intstr.IntOrString{intstr.FromString("http")}}},
				{Action: "Allow", Destination: calicov3.Entity{Nets: []string{"203.0.113.0/24"}, NotSelector: "kind == 'bad'"}},
			},
		}
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i)}
		if i%2 == 0 {
			meta.Namespace = fmt.Sprintf("ns-%d", i%100)
			set.CalicoNetworkPolicies = append(set.CalicoNetworkPolicies, sourced(&calicov3.NetworkPolicy{ObjectMeta: meta, Spec: spec}))
		} else {
			set.CalicoGlobalNetworkPolicies = append(set.CalicoGlobalNetworkPolicies, sourced(&calicov3.GlobalNetworkPolicy{ObjectMeta: meta, Spec: calicov3.GlobalPolicySpec{PolicySpec: spec}}))
		}
	}
	return set
}

// BenchmarkLarge compiles 10,000 pods and 1,000 policies for one node.
func BenchmarkLarge(b *testing.B) {
	set := large(10_000, 1_000)
	for b.Loop() {
		var diags diag.List
		m, found := policy.Analyze(set, policy.Settings{})
		if len(found) > 0 {
			b.Fatal(found[0])
		}
		p := &ir.Program{}
		m.Lower("node-7", ir.Drop, nil, p, &diags)
		if len(p.Policy.Profiles) == 0 {
			b.Fatal("no profiles")
		}
	}
}
