package compiler_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// TestPolicyHistories changes policies, pods and namespaces step by step: the policy and the findings
// are those of a whole compilation at each.
func TestPolicyHistories(t *testing.T) {
	shared := 0
	for seed := range uint64(40) {
		h := &policyHistory{Rand: rand.New(rand.NewPCG(seed, 3)), set: clustergen.PolicyObjects(clustergen.PolicySize{Pods: 120, Nodes: 3, Namespaces: 6, Policies: 24})}
		config := objects.Config{FailClosed: seed%4 == 1}
		if seed%5 == 4 {
			config.Hash = func(b []byte) (sum [sha256.Size]byte) { sum[0] = byte(len(b)) & 3; return sum }
		}
		node := h.set.Nodes[0].Object.Name
		first := h.set
		x := compiler.NewIncremental(&first, node, config)
		for n := range 30 {
			h.step()
			others := h.set
			d := x.Apply(compiler.Update{Others: &others})
			want, diags := compiler.Compile(compiler.Input{Objects: &others, Node: node, Config: config})
			got := x.Program()
			if string(got.Text()) != string(want.Text()) {
				t.Fatalf("seed %d, step %d: the incremental program is another one\n%s\nwant\n%s", seed, n, got.Text(), want.Text())
			}
			if fmt.Sprint(x.Diagnostics()) != fmt.Sprint(diags) {
				t.Fatalf("seed %d, step %d: findings\n%v\nwant\n%v", seed, n, x.Diagnostics(), diags)
			}
			if d.Policy && policyText(d.After.Policy) != policyText(want.Policy) {
				t.Fatalf("seed %d, step %d: the delta has another policy", seed, n)
			}
			if d.Policy {
				shared += sharedProfiles(d.Before.Policy.Profiles, d.After.Policy.Profiles)
			}
		}
	}
	if shared < 1000 {
		t.Errorf("only %d profiles stayed in the same memory", shared)
	}
}

// sharedProfiles counts the profiles that have the same rules in the same memory.
func sharedProfiles(a, b []ir.Profile) (n int) {
	for _, x := range a {
		for _, y := range b {
			if x.ID == y.ID && len(x.Ingress) > 0 && len(y.Ingress) > 0 && &x.Ingress[0] == &y.Ingress[0] {
				n++
			}
		}
	}
	return n
}

// policyHistory is a cluster whose policies change. Objects are never changed in place.
type policyHistory struct {
	*rand.Rand
	set   objects.Set
	spare []objects.Sourced[*networkingv1.NetworkPolicy]
}

func (h *policyHistory) step() {
	h.set.NetworkPolicies = slices.Clone(h.set.NetworkPolicies)
	for range 1 + h.IntN(2) {
		switch h.IntN(14) {
		case 0:
			h.take()
		case 1:
			h.give()
		case 2:
			h.twice()
		case 3:
			h.movePod()
		case 4:
			h.Shuffle(len(h.set.NetworkPolicies), func(i, j int) {
				h.set.NetworkPolicies[i], h.set.NetworkPolicies[j] = h.set.NetworkPolicies[j], h.set.NetworkPolicies[i]
			})
		case 5:
			h.changeClusterPolicy()
		case 6:
			h.label()
		default:
			h.change()
		}
	}
}

// changeClusterPolicy adds, changes or removes a policy of the cluster.
func (h *policyHistory) changeClusterPolicy() {
	h.set.ClusterNetworkPolicies = slices.Clone(h.set.ClusterNetworkPolicies)
	if n := len(h.set.ClusterNetworkPolicies); n > 0 && h.IntN(3) == 0 {
		i := h.IntN(n)
		h.set.ClusterNetworkPolicies = slices.Delete(h.set.ClusterNetworkPolicies, i, i+1)
		return
	}
	tiers, actions := []policyv1beta1.Tier{"Admin", "Baseline"}, []policyv1beta1.ClusterNetworkPolicyRuleAction{"Accept", "Deny", "Pass"}
	division := metav1.LabelSelector{MatchLabels: map[string]string{"division": fmt.Sprintf("division-%d", h.IntN(4))}}
	p := &policyv1beta1.ClusterNetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cluster-%d", h.IntN(4))},
		Spec: policyv1beta1.ClusterNetworkPolicySpec{
			Tier: tiers[h.IntN(2)], Priority: int32(h.IntN(3)), Subject: policyv1beta1.ClusterNetworkPolicySubject{Namespaces: &metav1.LabelSelector{}},
			Ingress: []policyv1beta1.ClusterNetworkPolicyIngressRule{{
				Action: actions[h.IntN(3)], From: []policyv1beta1.ClusterNetworkPolicyIngressPeer{{Namespaces: &division}},
			}},
		},
	}
	made := objects.Sourced[*policyv1beta1.ClusterNetworkPolicy]{Object: p, File: "cluster.yaml", Line: 1}
	for i, have := range h.set.ClusterNetworkPolicies {
		if have.Object.Name == p.Name {
			h.set.ClusterNetworkPolicies[i] = made
			return
		}
	}
	h.set.ClusterNetworkPolicies = append(h.set.ClusterNetworkPolicies, made)
}

// label gives a namespace another label.
func (h *policyHistory) label() {
	h.set.Namespaces = slices.Clone(h.set.Namespaces)
	i := h.IntN(len(h.set.Namespaces))
	n := h.set.Namespaces[i].Object.DeepCopy()
	n.Labels["division"] = fmt.Sprintf("division-%d", h.IntN(4))
	h.set.Namespaces[i].Object = n
}

func (h *policyHistory) take() {
	if n := len(h.set.NetworkPolicies); n > 2 {
		i := h.IntN(n)
		h.spare = append(h.spare, h.set.NetworkPolicies[i])
		h.set.NetworkPolicies = slices.Delete(h.set.NetworkPolicies, i, i+1)
	}
}

func (h *policyHistory) give() {
	if n := len(h.spare); n > 0 {
		h.set.NetworkPolicies = append(h.set.NetworkPolicies, h.spare[n-1])
		h.spare = h.spare[:n-1]
	}
}

// twice adds another object with the name of one, older or younger.
func (h *policyHistory) twice() {
	p := h.set.NetworkPolicies[h.IntN(len(h.set.NetworkPolicies))].Object.DeepCopy()
	p.CreationTimestamp = metav1.NewTime(time.Unix(int64(h.IntN(2_000_000_000)), 0))
	p.Spec.Ingress = nil
	h.set.NetworkPolicies = append(h.set.NetworkPolicies, objects.Sourced[*networkingv1.NetworkPolicy]{Object: p, File: "twice.yaml", Line: 1 + h.IntN(3)})
}

// change makes another version of a policy, sometimes one that is refused.
func (h *policyHistory) change() {
	i := h.IntN(len(h.set.NetworkPolicies))
	p := h.set.NetworkPolicies[i].Object.DeepCopy()
	switch port := intstr.FromInt32(int32(8000 + h.IntN(3))); h.IntN(7) {
	case 0:
		p.Spec.Ingress = p.Spec.Ingress[:len(p.Spec.Ingress)/2]
	case 1:
		p.Spec.Egress = append(p.Spec.Egress, networkingv1.NetworkPolicyEgressRule{Ports: []networkingv1.NetworkPolicyPort{{Port: &port}}})
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}
	case 2:
		named := intstr.FromString([]string{"http", "nowhere"}[h.IntN(2)])
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{Ports: []networkingv1.NetworkPolicyPort{{Port: &named}}})
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	case 3:
		p.Spec.PodSelector = metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("app-%d", h.IntN(5))}}
	case 4:
		p.Spec.PodSelector = metav1.LabelSelector{}
	case 5:
		p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: fmt.Sprintf("10.%d.0.0/16", h.IntN(300))}}}}}
	case 6:
		p.CreationTimestamp = metav1.NewTime(time.Unix(int64(h.IntN(2_000_000_000)), 0))
	}
	h.set.NetworkPolicies[i].Object = p
}

// movePod gives a pod other labels or another address, or ends it.
func (h *policyHistory) movePod() {
	h.set.Pods = slices.Clone(h.set.Pods)
	i := h.IntN(len(h.set.Pods))
	p := h.set.Pods[i].Object.DeepCopy()
	switch h.IntN(3) {
	case 0:
		p.Labels = map[string]string{"app": fmt.Sprintf("app-%d", h.IntN(5)), "tier": "tier-0"}
	case 1:
		ip := fmt.Sprintf("10.128.9.%d", h.IntN(8))
		p.Status.PodIP, p.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	case 2:
		p.Status.Phase = corev1.PodSucceeded
	}
	h.set.Pods[i].Object = p
}
