package randomcluster

import (
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects"
)

// podsPerNode is a little more than the number of addresses for endpoints.
const podsPerNode = 6

// namespaces are the namespaces that the pods are distributed to.
var namespaces = []string{"default", "other"}

// policed adds pods and policies of all kinds. It uses a separate random generator,
// so that the Services of a seed are the same with and without policies.
func (g *generator) policed(seed uint64) {
	g.Rand = rand.New(rand.NewPCG(seed, 0x706f6c696379))
	for i, name := range namespaces {
		n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name, "team": fmt.Sprintf("t%d", i)}}}
		g.set.Namespaces = append(g.set.Namespaces, objects.Sourced[*corev1.Namespace]{Object: n})
	}
	for node := 1; node <= nodes; node++ {
		for n := 1; n <= podsPerNode; n++ {
			g.pod(node, n)
		}
	}
	for i := range 1 + g.IntN(5) {
		g.networkPolicy(i)
	}
	for i := range g.IntN(4) {
		g.clusterPolicy(i)
	}
	if g.chance(30) {
		g.baseline()
	}
}

func (g *generator) pod(node, n int) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespaces[n%2], Name: fmt.Sprintf("pod-%d-%d", node, n),
		Labels: map[string]string{"app": fmt.Sprintf("a%d", n%3), "color": oneOf(g, "red", "blue")},
	}}
	p.Spec.NodeName = nodeName(node)
	p.Spec.Containers = []corev1.Container{{Name: "main", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080 + int32(g.IntN(3)), Protocol: corev1.ProtocolTCP}}}}
	p.Status.Phase = corev1.PodRunning
	if g.chance(5) {
		p.Status.Phase = corev1.PodSucceeded
	}
	for _, f := range g.families {
		p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: podAddr(f, node, n).String()})
	}
	p.Status.PodIP = p.Status.PodIPs[0].IP
	g.set.Pods = append(g.set.Pods, objects.Sourced[*corev1.Pod]{Object: p})
}

func (g *generator) selector() metav1.LabelSelector {
	switch g.IntN(4) {
	case 0:
		return metav1.LabelSelector{}
	case 1:
		return metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("a%d", g.IntN(3))}}
	case 2:
		return metav1.LabelSelector{MatchLabels: map[string]string{"color": oneOf(g, "red", "blue")}}
	}
	op := oneOf(g, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn)
	return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: op, Values: []string{"a0", "a1"}}}}
}

func (g *generator) namespaceSelector() metav1.LabelSelector {
	if g.chance(40) {
		return metav1.LabelSelector{}
	}
	return metav1.LabelSelector{MatchLabels: map[string]string{"team": oneOf(g, "t0", "t1")}}
}

// policyNetwork returns a network that contains pods, clients or nodes, and exceptions.
func (g *generator) policyNetwork() (cidr string, except []string) {
	all := []struct {
		cidr string
		in   []string
	}{
		{"0.0.0.0/0", []string{"10.0.0.0/8", "203.0.113.0/25"}},
		{"10.244.0.0/16", []string{"10.244.1.0/24", "10.244.2.2/32"}},
		{"203.0.113.0/24", []string{"203.0.113.0/26"}},
		{"10.244.1.0/30", nil},
		{"192.0.2.0/24", nil},
		{"::/0", []string{"fd00::/8"}},
		{"fd00:10:244::/48", []string{"fd00:10:244:2::/64"}},
		{"2001:db8:cafe::/48", nil},
	}
	n := all[g.IntN(len(all))]
	for _, e := range n.in {
		if g.chance(50) {
			except = append(except, e)
		}
	}
	return n.cidr, except
}

func (g *generator) networkPolicy(i int) {
	p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: oneOf(g, namespaces...), Name: fmt.Sprintf("np-%d", i)}}
	p.Spec.PodSelector = g.selector()
	p.Spec.PolicyTypes = oneOf(g,
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress}, []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress})
	for range g.IntN(3) {
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: g.networkPeers(), Ports: g.networkPorts()})
	}
	for range g.IntN(3) {
		p.Spec.Egress = append(p.Spec.Egress, networkingv1.NetworkPolicyEgressRule{To: g.networkPeers(), Ports: g.networkPorts()})
	}
	g.set.NetworkPolicies = append(g.set.NetworkPolicies, objects.Sourced[*networkingv1.NetworkPolicy]{Object: p})
}

func (g *generator) networkPeers() []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for range g.IntN(3) {
		if g.chance(40) {
			cidr, except := g.policyNetwork()
			out = append(out, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}})
			continue
		}
		pods, ns := g.selector(), g.namespaceSelector()
		peer := networkingv1.NetworkPolicyPeer{PodSelector: &pods}
		if g.chance(60) {
			peer.NamespaceSelector = &ns
		}
		out = append(out, peer)
	}
	return out
}

func (g *generator) networkPorts() []networkingv1.NetworkPolicyPort {
	var out []networkingv1.NetworkPolicyPort
	for range g.IntN(3) {
		proto := oneOf(g, corev1.ProtocolTCP, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP)
		p := networkingv1.NetworkPolicyPort{Protocol: &proto}
		switch g.IntN(4) {
		case 0:
			name := intstr.FromString("http")
			p.Port = &name
		case 1:
			first, last := intstr.FromInt32(8000), int32(8081)
			p.Port, p.EndPort = &first, &last
		case 2:
			number := intstr.FromInt32(8080 + int32(g.IntN(3)))
			p.Port = &number
		}
		out = append(out, p)
	}
	return out
}

func (g *generator) clusterPolicy(i int) {
	p := &policyv1beta1.ClusterNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cnp-%d", i)}}
	p.Spec.Tier = oneOf(g, policyv1beta1.AdminTier, policyv1beta1.AdminTier, policyv1beta1.BaselineTier)
	p.Spec.Priority = int32(g.IntN(4))
	ns := g.namespaceSelector()
	if p.Spec.Subject.Namespaces = &ns; g.chance(50) {
		p.Spec.Subject = policyv1beta1.ClusterNetworkPolicySubject{Pods: &policyv1beta1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}}
	}
	for range g.IntN(3) {
		r := policyv1beta1.ClusterNetworkPolicyIngressRule{Action: g.action()}
		for range 1 + g.IntN(2) {
			peer := policyv1beta1.ClusterNetworkPolicyIngressPeer{}
			peer.Namespaces, peer.Pods = g.clusterPods()
			r.From = append(r.From, peer)
		}
		r.Protocols = g.protocols(true)
		p.Spec.Ingress = append(p.Spec.Ingress, r)
	}
	for range g.IntN(3) {
		p.Spec.Egress = append(p.Spec.Egress, g.clusterEgress())
	}
	g.set.ClusterNetworkPolicies = append(g.set.ClusterNetworkPolicies, objects.Sourced[*policyv1beta1.ClusterNetworkPolicy]{Object: p})
}

func (g *generator) action() policyv1beta1.ClusterNetworkPolicyRuleAction {
	return oneOf(g, policyv1beta1.ClusterNetworkPolicyRuleActionAccept, policyv1beta1.ClusterNetworkPolicyRuleActionDeny, policyv1beta1.ClusterNetworkPolicyRuleActionPass)
}

func (g *generator) clusterPods() (*metav1.LabelSelector, *policyv1beta1.NamespacedPod) {
	ns := g.namespaceSelector()
	if g.chance(50) {
		return &ns, nil
	}
	return nil, &policyv1beta1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}
}

func (g *generator) clusterEgress() policyv1beta1.ClusterNetworkPolicyEgressRule {
	r := policyv1beta1.ClusterNetworkPolicyEgressRule{Action: g.action()}
	named := true
	for range 1 + g.IntN(2) {
		var peer policyv1beta1.ClusterNetworkPolicyEgressPeer
		switch g.IntN(4) {
		case 0:
			cidr, _ := g.policyNetwork()
			peer.Networks, named = []policyv1beta1.CIDR{policyv1beta1.CIDR(cidr)}, false
		case 1:
			peer.Nodes, named = &metav1.LabelSelector{}, false
		default:
			peer.Namespaces, peer.Pods = g.clusterPods()
		}
		r.To = append(r.To, peer)
	}
	r.Protocols = g.protocols(named)
	return r
}

func (g *generator) protocols(named bool) []policyv1beta1.ClusterNetworkPolicyProtocol {
	var out []policyv1beta1.ClusterNetworkPolicyProtocol
	for range g.IntN(3) {
		port := &policyv1beta1.Port{Number: 8080 + int32(g.IntN(3))}
		if g.chance(30) {
			port = &policyv1beta1.Port{Range: &policyv1beta1.PortRange{Start: 8000, End: 8080}}
		}
		var p policyv1beta1.ClusterNetworkPolicyProtocol
		switch g.IntN(4) {
		case 0:
			p.UDP = &policyv1beta1.ClusterNetworkPolicyProtocolUDP{DestinationPort: port}
		case 1:
			p.SCTP = &policyv1beta1.ClusterNetworkPolicyProtocolSCTP{DestinationPort: port}
		case 2:
			if named {
				p.DestinationNamedPort = "http"
				break
			}
			fallthrough
		default:
			p.TCP = &policyv1beta1.ClusterNetworkPolicyProtocolTCP{DestinationPort: port}
		}
		out = append(out, p)
	}
	return out
}

func (g *generator) baseline() {
	b := &policyv1alpha1.BaselineAdminNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	b.Spec.Subject.Namespaces = &metav1.LabelSelector{}
	ns := g.namespaceSelector()
	b.Spec.Ingress = []policyv1alpha1.BaselineAdminNetworkPolicyIngressRule{{
		Action: policyv1alpha1.BaselineAdminNetworkPolicyRuleActionDeny, From: []policyv1alpha1.AdminNetworkPolicyIngressPeer{{Namespaces: &ns}},
		Ports: &[]policyv1alpha1.AdminNetworkPolicyPort{{PortNumber: &policyv1alpha1.Port{Protocol: corev1.ProtocolTCP, Port: 8080}}},
	}}
	g.set.BaselineAdminNetworkPolicies = append(g.set.BaselineAdminNetworkPolicies, objects.Sourced[*policyv1alpha1.BaselineAdminNetworkPolicy]{Object: b})
}
