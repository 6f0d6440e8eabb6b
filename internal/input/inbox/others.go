package inbox

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects"
)

// others are the objects that the compiler takes together.
type others struct {
	nodes      table[*corev1.Node]
	pods       table[*corev1.Pod]
	namespaces table[*corev1.Namespace]
	cidrs      table[*networkingv1.ServiceCIDR]
	policies   table[*networkingv1.NetworkPolicy]
	cluster    table[*policyv1beta1.ClusterNetworkPolicy]
	admin      table[*policyv1alpha1.AdminNetworkPolicy]
	baseline   table[*policyv1alpha1.BaselineAdminNetworkPolicy]
	// dirty reports a change since the last take.
	dirty bool
}

// table maps names to the objects of a kind.
type table[T metav1.Object] map[objects.Name]objects.Sourced[T]

func newOthers() others {
	return others{
		nodes: table[*corev1.Node]{}, pods: table[*corev1.Pod]{}, namespaces: table[*corev1.Namespace]{},
		cidrs: table[*networkingv1.ServiceCIDR]{}, policies: table[*networkingv1.NetworkPolicy]{},
		cluster: table[*policyv1beta1.ClusterNetworkPolicy]{}, admin: table[*policyv1alpha1.AdminNetworkPolicy]{},
		baseline: table[*policyv1alpha1.BaselineAdminNetworkPolicy]{}, dirty: true,
	}
}

// shelf is a table of any type.
type shelf interface {
	// put reports whether the object differs from the one before.
	put(objects.Name, objects.Sourced[metav1.Object]) bool
	remove(objects.Name)
}

// of returns the table for the object, or nil.
func (o *others) of(object metav1.Object) shelf {
	switch object.(type) {
	case *corev1.Node:
		return o.nodes
	case *corev1.Pod:
		return o.pods
	case *corev1.Namespace:
		return o.namespaces
	case *networkingv1.ServiceCIDR:
		return o.cidrs
	case *networkingv1.NetworkPolicy:
		return o.policies
	case *policyv1beta1.ClusterNetworkPolicy:
		return o.cluster
	case *policyv1alpha1.AdminNetworkPolicy:
		return o.admin
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		return o.baseline
	}
	return nil
}

func (o *others) put(k objects.Name, s objects.Sourced[metav1.Object]) bool {
	t := o.of(s.Object)
	changed := t != nil && t.put(k, s)
	o.dirty = o.dirty || changed
	return changed
}

func (o *others) remove(k objects.Name, object metav1.Object) bool {
	t := o.of(object)
	if t == nil {
		return false
	}
	t.remove(k)
	o.dirty = true
	return true
}

// put stores an object of the table's type. The status of nodes and pods
// changes often, but its kept parts seldom.
func (t table[T]) put(k objects.Name, s objects.Sourced[metav1.Object]) bool {
	object, ok := s.Object.(T)
	if !ok {
		return false
	}
	old, had := t[k]
	t[k] = sourced(object, s)
	return !had || !reflect.DeepEqual(old.Object, object)
}

func (t table[T]) remove(k objects.Name) { delete(t, k) }

// take returns all objects if any changed, and nil otherwise.
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
