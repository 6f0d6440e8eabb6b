package filesource

import (
	"cmp"
	"fmt"
	"iter"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// identity is what makes two objects the same.
type identity struct{ kind, namespace, name string }

// object is one of any kind.
type object struct {
	objects.Sourced[metav1.Object]
}

// before reports whether o is the one to keep of two with one identity: the
// older, then the one whose place sorts first. One without a time is the youngest.
func (o object) before(other object) bool {
	a, b := o.Object.GetCreationTimestamp(), other.Object.GetCreationTimestamp()
	switch {
	case a.IsZero() != b.IsZero():
		return b.IsZero()
	case !a.Equal(&b):
		return a.Before(&b)
	}
	return cmp.Or(cmp.Compare(o.File, other.File), cmp.Compare(o.Line, other.Line)) < 0
}

// all yields every object of a set.
func all(set *objects.Set) iter.Seq2[identity, object] {
	return func(yield func(identity, object) bool) {
		_ = each(set.Services, yield) && each(set.EndpointSlices, yield) && each(set.Nodes, yield) && each(set.Pods, yield) &&
			each(set.Namespaces, yield) && each(set.ServiceCIDRs, yield) && each(set.NetworkPolicies, yield) &&
			each(set.ClusterNetworkPolicies, yield) && each(set.AdminNetworkPolicies, yield) && each(set.BaselineAdminNetworkPolicies, yield)
	}
}

// each yields the objects of one kind and reports whether more are wanted.
func each[T metav1.Object](list []objects.Sourced[T], yield func(identity, object) bool) bool {
	for _, s := range list {
		id := identity{fmt.Sprintf("%T", s.Object), s.Object.GetNamespace(), s.Object.GetName()}
		if !yield(id, object{objects.Sourced[metav1.Object]{Object: s.Object, File: s.File, Line: s.Line}}) {
			return false
		}
	}
	return true
}
