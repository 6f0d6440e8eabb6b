package policy

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// oldestFirst returns the objects by age, then by name and place, whatever order
// they came in.
func oldestFirst[T metav1.Object](in []objects.Sourced[T]) []objects.Sourced[T] {
	out := slices.Clone(in)
	slices.SortFunc(out, func(a, b objects.Sourced[T]) int {
		ta, tb := a.Object.GetCreationTimestamp(), b.Object.GetCreationTimestamp()
		return cmp.Or(ta.Compare(tb.Time), byName(a, b))
	})
	return out
}

func byName[T metav1.Object](a, b objects.Sourced[T]) int {
	return cmp.Or(
		cmp.Compare(a.Object.GetNamespace(), b.Object.GetNamespace()), cmp.Compare(a.Object.GetName(), b.Object.GetName()),
		cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
	)
}
