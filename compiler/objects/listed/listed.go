// Package listed has lists of objects of custom resources, as API servers answer them,
// for kinds whose own project has none that can be imported.
package listed

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// List is what an API server answers to a list of objects of type T, of which *T is a
// runtime.Object.
type List[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []T `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *List[T]) DeepCopyObject() runtime.Object {
	out := &List[T]{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy()}
	if l.Items == nil {
		return out
	}
	out.Items = make([]T, len(l.Items))
	for i := range l.Items {
		if item, is := any(&l.Items[i]).(runtime.Object); is {
			out.Items[i] = *any(item.DeepCopyObject()).(*T)
		}
	}
	return out
}

// Kind registers a kind and its list in a scheme.
type Kind func(*runtime.Scheme, schema.GroupVersion)

// Of is a kind by its name in the API, "NetworkPolicy"; its list is "NetworkPolicyList".
func Of[T any, P interface {
	*T
	runtime.Object
}](name string,
) Kind {
	return func(s *runtime.Scheme, gv schema.GroupVersion) {
		s.AddKnownTypeWithName(gv.WithKind(name), P(new(T)))
		s.AddKnownTypeWithName(gv.WithKind(name+"List"), &List[T]{})
	}
}

// AddToScheme registers kinds in versions of groups.
func AddToScheme(s *runtime.Scheme, versions []schema.GroupVersion, kinds ...Kind) {
	for _, gv := range versions {
		for _, k := range kinds {
			k(s, gv)
		}
		metav1.AddToGroupVersion(s, gv)
	}
}
