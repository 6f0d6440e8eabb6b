package filesource

import (
	"iter"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// object is one of any kind.
type object = objects.Sourced[metav1.Object]

// all yields every object of a set.
func all(set *objects.Set) iter.Seq2[objects.Identity, object] {
	return func(yield func(objects.Identity, object) bool) {
		_ = each("Service", set.Services, yield) && each("EndpointSlice", set.EndpointSlices, yield) &&
			each("Node", set.Nodes, yield) && each("Pod", set.Pods, yield) && each("Namespace", set.Namespaces, yield) &&
			each("ServiceCIDR", set.ServiceCIDRs, yield) && each("NetworkPolicy", set.NetworkPolicies, yield) &&
			each("ClusterNetworkPolicy", set.ClusterNetworkPolicies, yield) && each("AdminNetworkPolicy", set.AdminNetworkPolicies, yield) &&
			each("BaselineAdminNetworkPolicy", set.BaselineAdminNetworkPolicies, yield)
	}
}

// each yields the objects of one kind and reports whether more are wanted.
func each[T metav1.Object](kind string, list []objects.Sourced[T], yield func(objects.Identity, object) bool) bool {
	for _, s := range list {
		id := objects.IdentityOf(kind, s.Object)
		if !yield(id, object{Object: s.Object, File: s.File, Line: s.Line}) {
			return false
		}
	}
	return true
}
