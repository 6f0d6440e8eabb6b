package compare

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects"
)

// policyPair makes two states of random policies.
type policyPair struct {
	*rand.Rand
	*flavour
	// dialect adds a policy of a dialect; nil is Kubernetes alone.
	dialect func(*policyPair, *objects.Set, string)
}

func (g *policyPair) config() objects.Config {
	cidr := "10.244.0.0/16"
	if g.six() {
		cidr = "fd00:10:244::/48"
	}
	return objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}}
}

// six is whether pods have addresses of IPv6 only.
func (g *policyPair) six() bool { return strings.Contains(g.at[0], ":") }

func pick[T any](g *policyPair, values ...T) T { return values[g.IntN(len(values))] }

// states are two that differ in a few policies, or in the labels of a namespace.
func (g *policyPair) states() (before, after *objects.Set) {
	var common, one, other objects.Set
	for range g.IntN(3) {
		g.policy(&common)
	}
	for range 1 + g.IntN(2) {
		g.policy(&one)
	}
	for range g.IntN(2) {
		g.policy(&other)
	}
	if g.IntN(2) == 0 {
		one, other = other, one
	}
	before, after = &objects.Set{}, &objects.Set{}
	before.Append(common)
	before.Append(one)
	after.Append(common)
	after.Append(other)
	was := [2]string{pick(g, "", "x"), pick(g, "", "x")}
	for i, s := range []*objects.Set{before, after} {
		if i == 1 && g.IntN(4) == 0 {
			was[g.IntN(2)] = pick(g, "", "x", "z")
		}
		for n, team := range was {
			name := fmt.Sprintf("n%d", n+1)
			labels := labelsOf("team", team)
			labels[corev1.LabelMetadataName] = name
			s.Namespaces = append(s.Namespaces, object(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}))
		}
		for n := range 2 {
			labels := labelsOf("a", []string{"x", ""}[n], "b", "x")
			s.Pods = append(s.Pods, object(podOf("n1", []string{"one", "other"}[n], labels, g.given(n), 0)))
		}
	}
	return before, after
}

// given is the address of a pod of the input.
func (g *policyPair) given(n int) netip.Addr {
	if g.six() {
		return netip.MustParseAddr(fmt.Sprintf("fd00:10:244:9::%d", n+1))
	}
	return netip.MustParseAddr(fmt.Sprintf("10.244.9.%d", n+1))
}

func (g *policyPair) policy(set *objects.Set) {
	name := fmt.Sprintf("p%d", g.IntN(1<<30))
	if g.dialect != nil && g.IntN(4) > 0 {
		g.dialect(g, set, name)
		return
	}
	switch g.IntN(6) {
	case 0:
		set.ClusterNetworkPolicies = append(set.ClusterNetworkPolicies, object(g.clusterPolicy(name)))
	case 1:
		set.AdminNetworkPolicies = append(set.AdminNetworkPolicies, object(g.adminPolicy(name)))
	case 2:
		if len(set.BaselineAdminNetworkPolicies) == 0 {
			set.BaselineAdminNetworkPolicies = append(set.BaselineAdminNetworkPolicies, object(g.baseline()))
		}
	default:
		set.NetworkPolicies = append(set.NetworkPolicies, object(g.networkPolicy(name)))
	}
}

// selector is one of pods' labels; b is named by one value only.
func (g *policyPair) selector() metav1.LabelSelector {
	var out metav1.LabelSelector
	require := func(key string, op metav1.LabelSelectorOperator, values ...string) {
		out.MatchExpressions = append(out.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: values})
	}
	a := []string{"x", "y"}
	if !slices.Contains(g.a, "y") {
		a = a[:1]
	}
	switch g.IntN(7) {
	case 0:
	case 1, 2:
		out.MatchLabels = map[string]string{"a": pick(g, a...)}
	case 3:
		require("a", pick(g, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn), a...)
	case 4:
		require("a", metav1.LabelSelectorOpNotIn, pick(g, a...))
	case 5:
		require("a", pick(g, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist))
	case 6:
		out.MatchLabels = map[string]string{"a": pick(g, a...)}
	}
	if len(g.b) > 1 && g.IntN(3) == 0 {
		require("b", pick(g, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn), "x")
	}
	return out
}

func (g *policyPair) namespaceSelector() metav1.LabelSelector {
	switch g.IntN(5) {
	case 0:
		return metav1.LabelSelector{}
	case 1:
		return metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: pick(g, "n0", "n1", "n2", "n7")}}
	case 2:
		return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"x"}}}}
	case 3:
		return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{pick(g, "n1", "n7")}}}}
	}
	return metav1.LabelSelector{MatchLabels: map[string]string{"team": "x"}}
}

// network is one that some of the addresses of the flavour are in.
func (g *policyPair) network() (cidr string, except []string) {
	if len(g.at) == 1 {
		return pick(g, "10.0.0.0/8", "192.0.2.0/24"), nil
	}
	if g.six() {
		switch g.IntN(4) {
		case 0:
			return "fd00:10:244::/48", []string{"fd00:10:244:8000::/49"}
		case 1:
			return "fd00:10:244:8000::/49", nil
		case 2:
			return "::/0", []string{"fd00:10:244:1::/64"}
		}
		return "fd00:10:244:1::/64", nil
	}
	switch g.IntN(4) {
	case 0:
		return "10.244.0.0/16", []string{"10.244.128.0/17"}
	case 1:
		return "10.244.128.0/17", []string{"10.244.192.0/18"}
	case 2:
		return "0.0.0.0/0", []string{"10.244.1.0/24"}
	}
	return "10.244.1.0/24", nil
}

func (g *policyPair) networkPolicy(name string) *networkingv1.NetworkPolicy {
	p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: pick(g, "n0", "n1", "n2"), Name: name}}
	p.Spec.PodSelector = g.selector()
	p.Spec.PolicyTypes = pick(g,
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress}, []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		[]networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress})
	for range g.IntN(3) {
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: g.peers(), Ports: g.policyPorts()})
	}
	for range g.IntN(3) {
		p.Spec.Egress = append(p.Spec.Egress, networkingv1.NetworkPolicyEgressRule{To: g.peers(), Ports: g.policyPorts()})
	}
	return p
}

func (g *policyPair) peers() []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for range g.IntN(3) {
		if g.IntN(3) == 0 {
			cidr, except := g.network()
			out = append(out, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}})
			continue
		}
		pods, ns := g.selector(), g.namespaceSelector()
		peer := networkingv1.NetworkPolicyPeer{}
		if g.IntN(3) > 0 {
			peer.NamespaceSelector = &ns
		}
		if peer.NamespaceSelector == nil || g.IntN(2) == 0 {
			peer.PodSelector = &pods
		}
		out = append(out, peer)
	}
	return out
}

func (g *policyPair) policyPorts() []networkingv1.NetworkPolicyPort {
	var out []networkingv1.NetworkPolicyPort
	for range g.IntN(3) {
		tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
		p := networkingv1.NetworkPolicyPort{Protocol: &tcp}
		switch g.IntN(4) {
		case 0:
			p.Protocol = &udp
		case 1:
			first, last := intstr.FromInt32(80), int32(90)
			p.Port, p.EndPort = &first, &last
		case 2:
			number := intstr.FromInt32(pick(g, int32(80), int32(443)))
			p.Port = &number
		case 3:
			number := intstr.FromInt32(443)
			if p.Port = &number; len(g.named) > 1 {
				name := intstr.FromString("http")
				p.Port = &name
			}
		}
		out = append(out, p)
	}
	return out
}

func (g *policyPair) clusterPolicy(name string) *policyv1beta1.ClusterNetworkPolicy {
	p := &policyv1beta1.ClusterNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Tier = pick(g, policyv1beta1.AdminTier, policyv1beta1.BaselineTier)
	p.Spec.Priority = int32(g.IntN(1000))
	ns := g.namespaceSelector()
	if p.Spec.Subject.Namespaces = &ns; g.IntN(2) == 0 {
		p.Spec.Subject = policyv1beta1.ClusterNetworkPolicySubject{Pods: &policyv1beta1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}}
	}
	action := func() policyv1beta1.ClusterNetworkPolicyRuleAction {
		return pick(g, policyv1beta1.ClusterNetworkPolicyRuleActionAccept, policyv1beta1.ClusterNetworkPolicyRuleActionDeny, policyv1beta1.ClusterNetworkPolicyRuleActionPass)
	}
	for range g.IntN(3) {
		r := policyv1beta1.ClusterNetworkPolicyIngressRule{Action: action(), Protocols: g.protocols(true)}
		var peer policyv1beta1.ClusterNetworkPolicyIngressPeer
		peer.Namespaces, peer.Pods = g.clusterPods()
		r.From = append(r.From, peer)
		p.Spec.Ingress = append(p.Spec.Ingress, r)
	}
	for range g.IntN(3) {
		r := policyv1beta1.ClusterNetworkPolicyEgressRule{Action: action()}
		var peer policyv1beta1.ClusterNetworkPolicyEgressPeer
		if g.IntN(3) == 0 {
			cidr, _ := g.network()
			peer.Networks = []policyv1beta1.CIDR{policyv1beta1.CIDR(cidr)}
			r.Protocols = g.protocols(false)
		} else {
			peer.Namespaces, peer.Pods = g.clusterPods()
			r.Protocols = g.protocols(true)
		}
		r.To = append(r.To, peer)
		p.Spec.Egress = append(p.Spec.Egress, r)
	}
	return p
}

func (g *policyPair) clusterPods() (*metav1.LabelSelector, *policyv1beta1.NamespacedPod) {
	ns := g.namespaceSelector()
	if g.IntN(2) == 0 {
		return &ns, nil
	}
	return nil, &policyv1beta1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}
}

func (g *policyPair) protocols(named bool) []policyv1beta1.ClusterNetworkPolicyProtocol {
	var out []policyv1beta1.ClusterNetworkPolicyProtocol
	for range g.IntN(2) {
		var p policyv1beta1.ClusterNetworkPolicyProtocol
		switch g.IntN(3) {
		case 0:
			p.UDP = &policyv1beta1.ClusterNetworkPolicyProtocolUDP{}
		case 1:
			p.TCP = &policyv1beta1.ClusterNetworkPolicyProtocolTCP{DestinationPort: &policyv1beta1.Port{Number: pick(g, int32(80), int32(443))}}
		case 2:
			if named && len(g.named) > 1 {
				p.DestinationNamedPort = "http"
			} else {
				p.TCP = &policyv1beta1.ClusterNetworkPolicyProtocolTCP{DestinationPort: &policyv1beta1.Port{Range: &policyv1beta1.PortRange{Start: 80, End: 90}}}
			}
		}
		out = append(out, p)
	}
	return out
}

func (g *policyPair) adminSubject() policyv1alpha1.AdminNetworkPolicySubject {
	ns := g.namespaceSelector()
	if g.IntN(2) == 0 {
		return policyv1alpha1.AdminNetworkPolicySubject{Namespaces: &ns}
	}
	return policyv1alpha1.AdminNetworkPolicySubject{Pods: &policyv1alpha1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}}
}

func (g *policyPair) adminPeer() (out policyv1alpha1.AdminNetworkPolicyIngressPeer) {
	ns := g.namespaceSelector()
	if out.Namespaces = &ns; g.IntN(2) == 0 {
		out.Namespaces, out.Pods = nil, &policyv1alpha1.NamespacedPod{NamespaceSelector: ns, PodSelector: g.selector()}
	}
	return out
}

func (g *policyPair) adminPolicy(name string) *policyv1alpha1.AdminNetworkPolicy {
	p := &policyv1alpha1.AdminNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Priority = int32(g.IntN(1000))
	p.Spec.Subject = g.adminSubject()
	for range g.IntN(3) {
		action := pick(g, policyv1alpha1.AdminNetworkPolicyRuleActionAllow, policyv1alpha1.AdminNetworkPolicyRuleActionDeny, policyv1alpha1.AdminNetworkPolicyRuleActionPass)
		p.Spec.Ingress = append(p.Spec.Ingress, policyv1alpha1.AdminNetworkPolicyIngressRule{Action: action, From: []policyv1alpha1.AdminNetworkPolicyIngressPeer{g.adminPeer()}})
	}
	for range g.IntN(2) {
		peer := g.adminPeer()
		p.Spec.Egress = append(p.Spec.Egress, policyv1alpha1.AdminNetworkPolicyEgressRule{
			Action: policyv1alpha1.AdminNetworkPolicyRuleActionDeny, To: []policyv1alpha1.AdminNetworkPolicyEgressPeer{{Namespaces: peer.Namespaces, Pods: peer.Pods}},
		})
	}
	return p
}

func (g *policyPair) baseline() *policyv1alpha1.BaselineAdminNetworkPolicy {
	b := &policyv1alpha1.BaselineAdminNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	b.Spec.Subject = g.adminSubject()
	for range g.IntN(3) {
		action := pick(g, policyv1alpha1.BaselineAdminNetworkPolicyRuleActionAllow, policyv1alpha1.BaselineAdminNetworkPolicyRuleActionDeny)
		b.Spec.Ingress = append(b.Spec.Ingress, policyv1alpha1.BaselineAdminNetworkPolicyIngressRule{Action: action, From: []policyv1alpha1.AdminNetworkPolicyIngressPeer{g.adminPeer()}})
	}
	return b
}

// describe writes both states, for a person who looks for a fault.
func (g *policyPair) describe(before, after *objects.Set) string {
	var b strings.Builder
	for i, s := range []*objects.Set{before, after} {
		fmt.Fprintln(&b, []string{"before:", "after:"}[i])
		for _, n := range s.Namespaces {
			fmt.Fprintln(&b, n.Object.Name, n.Object.Labels)
		}
		all := []any{
			s.NetworkPolicies, s.ClusterNetworkPolicies, s.AdminNetworkPolicies, s.BaselineAdminNetworkPolicies,
			s.CalicoNetworkPolicies, s.CalicoGlobalNetworkPolicies, s.CalicoGlobalNetworkSets, s.CiliumNetworkPolicies, s.CiliumClusterwideNetworkPolicies,
		}
		for _, list := range all {
			v, err := generic(list)
			if err != nil {
				return err.Error()
			}
			fmt.Fprintln(&b, v)
		}
	}
	return b.String()
}
