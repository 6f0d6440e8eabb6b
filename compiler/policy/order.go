package policy

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// oldestFirst sorts the objects by [objects.CompareFirst], independent of their
// original order.
func oldestFirst[T metav1.Object](in []objects.Sourced[T]) []objects.Sourced[T] {
	out := slices.Clone(in)
	slices.SortFunc(out, objects.CompareFirst[T])
	return out
}

// once keeps the first object of each name; the loader has reported the others.
func once[T metav1.Object](in []objects.Sourced[T]) []objects.Sourced[T] {
	seen := make(map[objects.Name]bool, len(in))
	return slices.DeleteFunc(in, func(o objects.Sourced[T]) bool {
		id := objects.NameOf(o.Object)
		again := seen[id]
		seen[id] = true
		return again
	})
}
