package inbox

import (
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// others are the objects that the compiler takes together.
type others struct {
	// kinds are the lists of an empty set, and tables hold the objects of each.
	kinds  []objects.List
	tables []table
	// dirty reports a change since the last take.
	dirty bool
	// generation counts changes of policies that may have DNS names; it begins with 1.
	generation uint64
}

// table maps names to the objects of a kind.
type table map[objects.Name]objects.Sourced[metav1.Object]

func newOthers() others {
	o := others{kinds: (&objects.Set{}).Lists(), dirty: true, generation: 1}
	for range o.kinds {
		o.tables = append(o.tables, table{})
	}
	return o
}

// of returns the table for the object, or nil.
func (o *others) of(object metav1.Object) table {
	i := slices.IndexFunc(o.kinds, func(l objects.List) bool { return l.Takes(object) })
	if i < 0 {
		return nil
	}
	return o.tables[i]
}

// put stores an object and reports whether it differs from the one before. The
// status of nodes and pods changes often, but its kept parts seldom.
func (o *others) put(k objects.Name, s objects.Sourced[metav1.Object]) bool {
	t := o.of(s.Object)
	if t == nil {
		return false
	}
	old, had := t[k]
	t[k] = s
	changed := !had || !reflect.DeepEqual(old.Object, s.Object)
	o.dirty = o.dirty || changed
	if changed && mayHaveDomains(s.Object) {
		o.generation++
	}
	return changed
}

func (o *others) remove(k objects.Name, object metav1.Object) bool {
	t := o.of(object)
	if t == nil {
		return false
	}
	delete(t, k)
	o.dirty = true
	if mayHaveDomains(object) {
		o.generation++
	}
	return true
}

// take returns all objects if any changed, and nil otherwise.
func (o *others) take() *objects.Set {
	if !o.dirty {
		return nil
	}
	o.dirty = false
	set := &objects.Set{}
	for i, l := range set.Lists() {
		for _, s := range o.tables[i] {
			l.Add(s)
		}
	}
	return set
}
