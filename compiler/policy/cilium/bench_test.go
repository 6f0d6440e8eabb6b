package cilium_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

func sourced[T any](o T) objects.Sourced[T] { return objects.Sourced[T]{Object: o} }

func labels(pairs ...string) ciliumv2.Selector {
	s := ciliumv2.Selector{MatchLabels: make(map[string]string)}
	for i := 0; i < len(pairs); i += 2 {
		s.MatchLabels[pairs[i]] = pairs[i+1]
	}
	return s
}

// large has pods in a hundred namespaces, and policies of every sort that is costly.
func large(pods, policies int) *objects.Set {
	set := &objects.Set{}
	for i := range 100 {
		name := fmt.Sprintf("ns-%d", i)
		set.Namespaces = append(set.Namespaces, sourced(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": fmt.Sprintf("t%d", i%10)}}}))
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i)}}
		node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("192.168.0.%d", i)}}
		set.Nodes = append(set.Nodes, sourced(node))
		set.CiliumCIDRGroups = append(set.CiliumCIDRGroups, sourced(&ciliumv2.CIDRGroup{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kind": "partner"}},
			Spec:       ciliumv2.CIDRGroupSpec{ExternalCIDRs: []string{fmt.Sprintf("198.51.%d.0/24", i)}},
		}))
	}
	for i := range pods {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: fmt.Sprintf("ns-%d", i%100), Labels: map[string]string{"app": fmt.Sprintf("a%d", i%250), "tier": "back"}}}
		p.Spec.NodeName, p.Spec.ServiceAccountName = fmt.Sprintf("node-%d", i/100%100), "keeper"
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: int32(8000 + i%5), Protocol: corev1.ProtocolTCP}}}}
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}}
		set.Pods = append(set.Pods, sourced(p))
	}
	for i := range policies {
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i)}
		if i%2 == 0 {
			meta.Namespace = fmt.Sprintf("ns-%d", i%100)
			set.CiliumNetworkPolicies = append(set.CiliumNetworkPolicies, sourced(&ciliumv2.NetworkPolicy{ObjectMeta: meta, Spec: costly(i)}))
		} else {
			set.CiliumClusterwideNetworkPolicies = append(set.CiliumClusterwideNetworkPolicies, sourced(&ciliumv2.ClusterwideNetworkPolicy{ObjectMeta: meta, Spec: costly(i)}))
		}
	}
	return set
}

func costly(i int) *ciliumv2.Rule {
	app := labels("app", fmt.Sprintf("a%d", i%250))
	http := []ciliumv2.PortRule{{Ports: []ciliumv2.Port{{Port: "http", Protocol: "TCP"}, {Port: "9000", EndPort: 9100}}}}
	team := labels("k8s:io.cilium.k8s.namespace.labels.team", fmt.Sprintf("t%d", i%10))
	return &ciliumv2.Rule{
		EndpointSelector: &ciliumv2.Selector{MatchExpressions: []ciliumv2.Requirement{{Key: "app", Operator: "In", Values: []string{fmt.Sprintf("a%d", i%250), fmt.Sprintf("a%d", i%249)}}}},
		Ingress: []ciliumv2.IngressRule{
			{IngressCommon: ciliumv2.IngressCommon{FromEndpoints: []ciliumv2.Selector{app}}, ToPorts: http},
			{IngressCommon: ciliumv2.IngressCommon{FromEndpoints: []ciliumv2.Selector{team}}},
			{IngressCommon: ciliumv2.IngressCommon{FromEntities: []string{"remote-node", "cluster"}}, ToPorts: http},
		},
		IngressDeny: []ciliumv2.IngressDenyRule{
			{IngressCommon: ciliumv2.IngressCommon{FromCIDRSet: []ciliumv2.CIDRRule{{CIDRGroupSelector: &ciliumv2.Selector{MatchLabels: map[string]string{"kind": "partner"}}}, {CIDR: "0.0.0.0/0", Except: []string{"203.0.113.0/24"}}}}},
		},
		Egress: []ciliumv2.EgressRule{
			{EgressCommon: ciliumv2.EgressCommon{ToEndpoints: []ciliumv2.Selector{app}}, ToPorts: http},
			{EgressCommon: ciliumv2.EgressCommon{ToEntities: []string{"kube-apiserver", "world"}}},
		},
	}
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
