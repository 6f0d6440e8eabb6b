package clustergen

import (
	"encoding/json"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
)

// PolicySize is the size of a cluster with network policies. Pods are distributed
// evenly over nodes and namespaces.
type PolicySize struct {
	Pods, Nodes, Namespaces, Policies int // the number of each
}

// LargePolicies is the size for the project's figures: 250 pods per node.
var LargePolicies = PolicySize{Pods: 10000, Nodes: 40, Namespaces: 500, Policies: 1000}

// apps is the number of kinds of pods in a namespace.
const apps = 5

// PolicyObjects returns the cluster as objects in memory. The policies are
// typical: they allow ingress from an app, from a team, or from a network of the
// company, and egress to DNS and to a few services in every namespace.
func PolicyObjects(size PolicySize) objects.Set {
	g := generator{}
	var set objects.Set
	for i := range size.Nodes {
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: g.node(i)})
	}
	for i := range size.Namespaces {
		name := fmt.Sprintf("team-%04d", i)
		labels := map[string]string{corev1.LabelMetadataName: name, "division": fmt.Sprintf("division-%d", i%20)}
		set.Namespaces = append(set.Namespaces, objects.Sourced[*corev1.Namespace]{Object: &corev1.Namespace{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: g.meta("", name, labels),
		}})
	}
	for i := range size.Pods {
		set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: g.pod(size, i)})
	}
	for i := range size.Policies {
		set.NetworkPolicies = append(set.NetworkPolicies, objects.Sourced[*networkingv1.NetworkPolicy]{Object: g.policy(size, i)})
	}
	return set
}

func (g generator) pod(size PolicySize, i int) *corev1.Pod {
	app := fmt.Sprintf("app-%d", (i/size.Namespaces)%apps)
	p := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: g.meta(fmt.Sprintf("team-%04d", i%size.Namespaces), fmt.Sprintf("%s-%s", app, suffix(i)), map[string]string{"app": app, "tier": fmt.Sprintf("tier-%d", i%3)}),
		Spec: corev1.PodSpec{NodeName: nodeName((i + i/size.Namespaces*13) % size.Nodes), Containers: []corev1.Container{{
			Name: "main", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080 + int32(i%2), Protocol: corev1.ProtocolTCP}},
		}}},
	}
	ip := address("10.128.0.0", i+1)
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}}
	return p
}

func (g generator) policy(size PolicySize, i int) *networkingv1.NetworkPolicy {
	udp, tcp := corev1.ProtocolUDP, corev1.ProtocolTCP
	port := func(proto *corev1.Protocol, n int32) networkingv1.NetworkPolicyPort {
		p := intstr.FromInt32(n)
		return networkingv1.NetworkPolicyPort{Protocol: proto, Port: &p}
	}
	http := intstr.FromString("http")
	p := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: g.meta(fmt.Sprintf("team-%04d", i%size.Namespaces), fmt.Sprintf("policy-%04d", i), nil),
	}
	spec := &p.Spec
	spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	selector := func(key, value string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
	}
	if i/size.Namespaces%2 == 0 {
		spec.PodSelector = *selector("app", fmt.Sprintf("app-%d", i%apps))
		spec.Ingress = []networkingv1.NetworkPolicyIngressRule{
			{From: []networkingv1.NetworkPolicyPeer{{PodSelector: selector("app", fmt.Sprintf("app-%d", (i+1)%apps))}}, Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &http}}},
			{From: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: selector("division", fmt.Sprintf("division-%d", i%20)), PodSelector: selector("tier", "tier-0")}}, Ports: []networkingv1.NetworkPolicyPort{port(&tcp, 9090), port(&tcp, int32(9100+i%7))}},
			{From: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: address("172.16.0.0", (i%50)<<8) + "/24", Except: []string{address("172.16.0.0", (i%50)<<8) + "/28"}}}}},
		}
		return p
	}
	spec.PolicyTypes = append(spec.PolicyTypes, networkingv1.PolicyTypeEgress)
	spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}
	spec.Egress = []networkingv1.NetworkPolicyEgressRule{
		{To: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}, Ports: []networkingv1.NetworkPolicyPort{port(&udp, 53), port(&tcp, 53)}},
		{To: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: selector(corev1.LabelMetadataName, fmt.Sprintf("team-%04d", (i*7)%size.Namespaces))}}, Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &http}}},
	}
	return p
}

// PolicyJSON writes the cluster as a List.
func PolicyJSON(w io.Writer, size PolicySize) error {
	set := PolicyObjects(size)
	var items []any
	for _, n := range set.Nodes {
		n.Object.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}
		items = append(items, n.Object)
	}
	for _, n := range set.Namespaces {
		items = append(items, n.Object)
	}
	for _, p := range set.Pods {
		items = append(items, p.Object)
	}
	for _, p := range set.NetworkPolicies {
		items = append(items, p.Object)
	}
	return json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}
