package synth

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// place is the place of an object.
type place struct {
	file string
	line int
}

// makeNamespaces makes the missing namespaces; the place of each is that of
// its first object.
func (m *maker) makeNamespaces() {
	needed := make(map[string]place)
	set := &m.out.Set
	note(needed, set.Services)
	note(needed, set.EndpointSlices)
	note(needed, set.Pods)
	note(needed, set.NetworkPolicies)
	note(needed, set.CalicoNetworkPolicies)
	note(needed, set.CalicoNetworkSets)
	note(needed, set.CiliumNetworkPolicies)
	// Objects of unknown kinds may not be namespaced at all.
	note(needed, slices.DeleteFunc(slices.Clone(m.in.Workloads), func(w objects.Sourced[*objects.Workload]) bool { return w.Object.Opaque }))
	for _, n := range set.Namespaces {
		delete(needed, n.Object.Name)
	}
	for _, name := range sortedKeys(needed) {
		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{Label: whole, corev1.LabelMetadataName: name},
		}}
		add(&set.Namespaces, &m.out.Made.Namespaces, objects.Sourced[*corev1.Namespace]{Object: object, File: needed[name].file, Line: needed[name].line})
	}
}

func note[T objects.Meta](needed map[string]place, list []objects.Sourced[T]) {
	for _, o := range list {
		at, known := needed[o.Object.GetNamespace()]
		if !known || cmp.Or(cmp.Compare(o.File, at.file), cmp.Compare(o.Line, at.line)) < 0 {
			needed[o.Object.GetNamespace()] = place{o.File, o.Line}
		}
	}
}
