package inbox

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"

	"github.com/planec/planec/compiler/objects"
)

// others are the objects that the compiler takes together.
type others struct {
	nodes      table[*corev1.Node]
	pods       table[*corev1.Pod]
	namespaces table[*corev1.Namespace]
	cidrs      table[*networkingv1.ServiceCIDR]
	policies   table[*networkingv1.NetworkPolicy]
	cluster    table[*policyv1alpha2.ClusterNetworkPolicy]
	admin      table[*policyv1alpha1.AdminNetworkPolicy]
	baseline   table[*policyv1alpha1.BaselineAdminNetworkPolicy]
	// dirty is whether something changed since the last take.
	dirty bool
}

// table is the objects of a kind by their names.
type table[T metav1.Object] map[key]objects.Sourced[T]

func newOthers() others {
	return others{
		nodes: table[*corev1.Node]{}, pods: table[*corev1.Pod]{}, namespaces: table[*corev1.Namespace]{},
		cidrs: table[*networkingv1.ServiceCIDR]{}, policies: table[*networkingv1.NetworkPolicy]{},
		cluster: table[*policyv1alpha2.ClusterNetworkPolicy]{}, admin: table[*policyv1alpha1.AdminNetworkPolicy]{},
		baseline: table[*policyv1alpha1.BaselineAdminNetworkPolicy]{}, dirty: true,
	}
}

func (o *others) put(k key, s objects.Sourced[metav1.Object]) bool {
	switch object := s.Object.(type) {
	case *corev1.Node:
		return replace(o, o.nodes, k, sourced(object, s))
	case *corev1.Pod:
		return replace(o, o.pods, k, sourced(object, s))
	case *corev1.Namespace:
		return replace(o, o.namespaces, k, sourced(object, s))
	case *networkingv1.ServiceCIDR:
		return replace(o, o.cidrs, k, sourced(object, s))
	case *networkingv1.NetworkPolicy:
		return replace(o, o.policies, k, sourced(object, s))
	case *policyv1alpha2.ClusterNetworkPolicy:
		return replace(o, o.cluster, k, sourced(object, s))
	case *policyv1alpha1.AdminNetworkPolicy:
		return replace(o, o.admin, k, sourced(object, s))
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		return replace(o, o.baseline, k, sourced(object, s))
	}
	return false
}

// replace reports whether the object differs from the one before: a node's and a
// pod's status changes often, and what is kept of it seldom.
func replace[T metav1.Object](o *others, t table[T], k key, s objects.Sourced[T]) bool {
	if old, had := t[k]; had && reflect.DeepEqual(old.Object, s.Object) {
		t[k] = s
		return false
	}
	t[k], o.dirty = s, true
	return true
}

func (o *others) remove(k key, object metav1.Object) bool {
	switch object.(type) {
	case *corev1.Node:
		delete(o.nodes, k)
	case *corev1.Pod:
		delete(o.pods, k)
	case *corev1.Namespace:
		delete(o.namespaces, k)
	case *networkingv1.ServiceCIDR:
		delete(o.cidrs, k)
	case *networkingv1.NetworkPolicy:
		delete(o.policies, k)
	case *policyv1alpha2.ClusterNetworkPolicy:
		delete(o.cluster, k)
	case *policyv1alpha1.AdminNetworkPolicy:
		delete(o.admin, k)
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		delete(o.baseline, k)
	default:
		return false
	}
	o.dirty = true
	return true
}

// take returns all of them if any changed, and nil otherwise.
func (o *others) take() *objects.Set {
	if !o.dirty {
		return nil
	}
	o.dirty = false
	return &objects.Set{
		Nodes: o.nodes.list(), Pods: o.pods.list(), Namespaces: o.namespaces.list(), ServiceCIDRs: o.cidrs.list(),
		NetworkPolicies: o.policies.list(), ClusterNetworkPolicies: o.cluster.list(),
		AdminNetworkPolicies: o.admin.list(), BaselineAdminNetworkPolicies: o.baseline.list(),
	}
}

func (t table[T]) list() []objects.Sourced[T] {
	out := make([]objects.Sourced[T], 0, len(t))
	for _, o := range t {
		out = append(out, o)
	}
	return out
}
