package compare

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
)

func stateOf(set *objects.Set) *State {
	return NewState(set, compiler.Prepare(set, objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}))
}

func policyOf(namespace, name string, pods *metav1.LabelSelector, from ...networkingv1.NetworkPolicyPeer) objects.Sourced[*networkingv1.NetworkPolicy] {
	p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	p.Spec = networkingv1.NetworkPolicySpec{
		PodSelector: *pods, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress: []networkingv1.NetworkPolicyIngressRule{{From: from}},
	}
	if len(from) == 0 {
		p.Spec.Ingress = nil
	}
	return object(p)
}

func labelled(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

// TestTooManyKinds compares policies that tell more kinds of pods apart than are
// looked at, with a change that none of those that are looked at shows.
func TestTooManyKinds(t *testing.T) {
	var before, after objects.Set
	for i := range 12 {
		p := policyOf("shop", fmt.Sprintf("p%d", i), labelled(fmt.Sprintf("k%d", i), "v"))
		before.NetworkPolicies, after.NetworkPolicies = append(before.NetworkPolicies, p), append(after.NetworkPolicies, p)
	}
	all := make(map[string]string)
	for i := range 12 {
		all[fmt.Sprintf("k%d", i)] = "v"
	}
	after.NetworkPolicies = append(after.NetworkPolicies, policyOf("shop", "all", &metav1.LabelSelector{MatchLabels: all}, networkingv1.NetworkPolicyPeer{NamespaceSelector: labelled("team", "x")}))
	r := States(stateOf(&before), stateOf(&after))
	if !r.Unknown || !strings.Contains(strings.Join(r.Notes, "\n"), "more than 1024 kinds of pods of namespace shop") {
		t.Errorf("%v, %q", r.Unknown, r.Notes)
	}
	if s := r.Summary(); strings.Contains(s, "nothing") {
		t.Errorf("%s", s)
	}
}

// TestNamespaceWithoutObject changes what policies let namespaces do by their labels,
// where the input does not say which labels the namespace has.
func TestNamespaceWithoutObject(t *testing.T) {
	set := func(from ...networkingv1.NetworkPolicyPeer) *State {
		var s objects.Set
		s.NetworkPolicies = append(s.NetworkPolicies, policyOf("shop", "db", labelled("app", "db"), from...))
		return stateOf(&s)
	}
	narrow := networkingv1.NetworkPolicyPeer{NamespaceSelector: labelled("team", "x"), PodSelector: labelled("app", "web")}
	wide := networkingv1.NetworkPolicyPeer{NamespaceSelector: labelled("team", "x")}
	r := States(set(narrow), set(narrow, wide))
	if r.Count(diffreport.Opened) != 1 || r.Unknown {
		t.Errorf("%v: %s", r.Unknown, r.Summary())
	}
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "no Namespace object in the input, so their names are taken to be all: shop") {
		t.Errorf("%q", notes)
	}
	if r := States(set(wide), set(wide, narrow)); r.Count(diffreport.Opened) != 0 || !r.Unknown || r.Summary() != "objects change; what that does to the network is not known" {
		t.Errorf("%v: %s", r.Unknown, r.Summary())
	}
}

// TestDeletedNamespace deletes a namespace with its policy: there are no pods any more
// that would be open now.
func TestDeletedNamespace(t *testing.T) {
	namespaces := func(names ...string) (s objects.Set) {
		for _, n := range names {
			s.Namespaces = append(s.Namespaces, object(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{corev1.LabelMetadataName: n}}}))
		}
		return s
	}
	before, after := namespaces("shop", "old"), namespaces("shop")
	before.NetworkPolicies = append(before.NetworkPolicies, policyOf("old", "deny", &metav1.LabelSelector{}))
	if r := States(stateOf(&before), stateOf(&after)); r.Count(diffreport.Opened) != 0 {
		t.Errorf("%s", r.Findings[0].Text)
	}
	kept := namespaces("shop", "old")
	if r := States(stateOf(&before), stateOf(&kept)); r.Count(diffreport.Opened) == 0 {
		t.Error("the policy's pods are open now, and nothing says so")
	}
}

// TestNodesThatTheInputLacks lets pods reach nodes with a label, of which the input has
// none.
func TestNodesThatTheInputLacks(t *testing.T) {
	set := func(accept bool) *State {
		var s objects.Set
		p := &policyv1beta1.ClusterNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "nodes"}}
		p.Spec = policyv1beta1.ClusterNetworkPolicySpec{Tier: policyv1beta1.AdminTier, Priority: 1, Subject: policyv1beta1.ClusterNetworkPolicySubject{Namespaces: &metav1.LabelSelector{}}}
		rule := func(action policyv1beta1.ClusterNetworkPolicyRuleAction, nodes *metav1.LabelSelector) {
			p.Spec.Egress = append(p.Spec.Egress, policyv1beta1.ClusterNetworkPolicyEgressRule{Action: action, To: []policyv1beta1.ClusterNetworkPolicyEgressPeer{{Nodes: nodes}}})
		}
		if accept {
			rule(policyv1beta1.ClusterNetworkPolicyRuleActionAccept, labelled("role", "storage"))
		}
		rule(policyv1beta1.ClusterNetworkPolicyRuleActionDeny, &metav1.LabelSelector{})
		s.ClusterNetworkPolicies = append(s.ClusterNetworkPolicies, object(p))
		return stateOf(&s)
	}
	r := States(set(false), set(true))
	if r.Count(diffreport.Opened) != 1 || !strings.Contains(r.Findings[0].Text, "can now reach nodes with role=storage that the input lacks on every port") {
		t.Errorf("%+v", r.Findings)
	}
	if back := States(set(true), set(false)); back.Count(diffreport.Closed) != 1 {
		t.Errorf("%+v", back.Findings)
	}
}

// TestWorkloadGoesWithItsPolicy deletes a workload and the policy that guards it, and
// the other way round: nothing that stays opens or closes.
func TestWorkloadGoesWithItsPolicy(t *testing.T) {
	set := func(both bool) *State {
		var s objects.Set
		s.Pods = append(s.Pods, object(podOf("shop", "web", map[string]string{"app": "web"}, netip.MustParseAddr("10.244.1.1"), 0)))
		if both {
			s.Pods = append(s.Pods, object(podOf("shop", "db", map[string]string{"app": "db"}, netip.MustParseAddr("10.244.1.2"), 0)))
			s.NetworkPolicies = append(s.NetworkPolicies, policyOf("shop", "db", labelled("app", "db"), networkingv1.NetworkPolicyPeer{PodSelector: labelled("app", "web")}))
		}
		return stateOf(&s)
	}
	if r := States(set(true), set(false)); r.Count(diffreport.Opened) != 0 || r.Count(diffreport.Removed) != 2 {
		t.Errorf("%s", r.Summary())
	}
	r := States(set(false), set(true))
	if r.Count(diffreport.Closed) != 0 || r.Count(diffreport.Added) != 1 {
		t.Errorf("%s", r.Summary())
	}
	if text := r.Findings[0].Sentence(); !strings.Contains(text, "can be reached from shop/web on every port") {
		t.Errorf("%s", text)
	}
}
