package objects

import (
	"iter"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// List gives uniform access to the objects of one kind in a set.
type List interface {
	// Kind is the kind of its objects, or "" if each has its own.
	Kind() string
	// All yields the objects in order.
	All() iter.Seq[Sourced[metav1.Object]]
	// Takes reports whether an object has the type of the list.
	Takes(o metav1.Object) bool
	// Add appends an object of that type.
	Add(o Sourced[metav1.Object])
	// Delete removes the objects for which gone returns true; i counts them from 0.
	// Sets that share the list keep them.
	Delete(gone func(i int, o metav1.Object) bool)
	repeated() []twin
}

// Lists returns the lists of the set, one for each kind of objects, in the same order for all
// sets.
func (s *Set) Lists() []List {
	return append([]List{
		listOf("Service", &s.Services), listOf("EndpointSlice", &s.EndpointSlices),
		listOf("Node", &s.Nodes), listOf("Pod", &s.Pods),
		listOf("Namespace", &s.Namespaces), listOf("ServiceCIDR", &s.ServiceCIDRs),
		listOf("NetworkPolicy", &s.NetworkPolicies), listOf("ClusterNetworkPolicy", &s.ClusterNetworkPolicies),
		listOf("AdminNetworkPolicy", &s.AdminNetworkPolicies), listOf("BaselineAdminNetworkPolicy", &s.BaselineAdminNetworkPolicies),
		listOf(KindCalicoNetworkPolicy, &s.CalicoNetworkPolicies), listOf("GlobalNetworkPolicy", &s.CalicoGlobalNetworkPolicies),
		listOf("Tier", &s.CalicoTiers), listOf("NetworkSet", &s.CalicoNetworkSets),
		listOf("GlobalNetworkSet", &s.CalicoGlobalNetworkSets), listOf("ServiceAccount", &s.ServiceAccounts),
		listOf(ciliumv2.KindNetworkPolicy, &s.CiliumNetworkPolicies), listOf(ciliumv2.KindClusterwideNetworkPolicy, &s.CiliumClusterwideNetworkPolicies),
		listOf(ciliumv2.KindCIDRGroup, &s.CiliumCIDRGroups), listOf("ConfigMap", &s.CiliumConfigs),
		listOf(ciliumv2.KindLoadBalancerIPPool, &s.CiliumPools), listOf(metallbv1beta1.KindIPAddressPool, &s.MetalLBPools),
		listOf("Endpoints", &s.Endpoints), listOf("", &s.Workloads), listOf("", &s.Entries),
	}, append(s.Clusters.lists(), s.Announcing.lists()...)...)
}

type list[T metav1.Object] struct {
	kind string
	in   *[]Sourced[T]
}

func listOf[T metav1.Object](kind string, in *[]Sourced[T]) List { return list[T]{kind, in} }

func (l list[T]) Kind() string { return l.kind }

func (l list[T]) All() iter.Seq[Sourced[metav1.Object]] {
	return func(yield func(Sourced[metav1.Object]) bool) {
		for _, o := range *l.in {
			if !yield(Sourced[metav1.Object]{Object: o.Object, File: o.File, Line: o.Line}) {
				return
			}
		}
	}
}

func (l list[T]) Takes(o metav1.Object) bool {
	_, ok := o.(T)
	return ok
}

func (l list[T]) Add(o Sourced[metav1.Object]) {
	*l.in = append(*l.in, Sourced[T]{Object: o.Object.(T), File: o.File, Line: o.Line})
}

func (l list[T]) Delete(gone func(i int, o metav1.Object) bool) {
	i := -1
	*l.in = slices.DeleteFunc(slices.Clone(*l.in), func(o Sourced[T]) bool {
		i++
		return gone(i, o.Object)
	})
}
