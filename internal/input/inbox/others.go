package inbox

import (
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// others are the objects that the compiler takes together.
type others struct {
	// kinds are the lists of an empty set, and tables hold the objects of each.
	kinds  []objects.List
	tables []*table
	// dirty reports a change since the last take.
	dirty bool
	// generation counts changes of policies that may have DNS names; it begins with 1.
	generation uint64
}

// table has the objects of a kind.
type table struct {
	byName map[objects.Name]objects.Sourced[metav1.Object]
	// names are sorted, so that a list in which one object changed has all others where they
	// were: the compiler reads only what is another object in its place. They are nil after an
	// object came or went.
	names []objects.Name
}

// sorted returns the names, sorted.
func (t *table) sorted() []objects.Name {
	if t.names == nil {
		t.names = slices.SortedFunc(maps.Keys(t.byName), objects.Name.Compare)
	}
	return t.names
}

func newOthers() others {
	o := others{kinds: (&objects.Set{}).Lists(), dirty: true, generation: 1}
	for range o.kinds {
		o.tables = append(o.tables, &table{byName: make(map[objects.Name]objects.Sourced[metav1.Object])})
	}
	return o
}

// of returns the table for the object, or nil.
func (o *others) of(object metav1.Object) *table {
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
	old, had := t.byName[k]
	changed := !had || !reflect.DeepEqual(old.Object, s.Object)
	if !changed {
		s.Object = old.Object // which the compiler knows
	}
	if t.byName[k] = s; !had {
		t.names = nil
	}
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
	delete(t.byName, k)
	t.names = nil
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
		for _, n := range o.tables[i].sorted() {
			l.Add(o.tables[i].byName[n])
		}
	}
	return set
}
