package filesource

import (
	"iter"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// object is an object of any kind.
type object = objects.Sourced[metav1.Object]

// all yields every object of a set.
func all(set *objects.Set) iter.Seq2[objects.Identity, object] {
	return func(yield func(objects.Identity, object) bool) {
		for _, l := range set.Lists() {
			for o := range l.All() {
				if !yield(objects.IdentityOf(l.Kind(), o.Object), o) {
					return
				}
			}
		}
	}
}
