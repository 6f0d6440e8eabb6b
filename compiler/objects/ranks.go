package objects

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ranks orders the places of objects with the same name, so that one place wins for all its
// objects: a Service of one overlay and a Deployment of another never belong together. A place is
// a directory, a file in it, or the first, second, ... object of each name in a file, as in
// concatenated overlays. Only content decides, not the names of places: first the place with the
// oldest object, then with the most names, then the one whose content sorts first.
type ranks struct {
	// bundles are the contents of each place.
	bundles map[string]*bundle
}

// bundle is the part of a place's objects that other places have too.
type bundle struct {
	oldest metav1.Time
	names  map[Identity]bool
	// lines are the objects' names, contents and ages, sorted.
	lines [][]byte
}

func newRanks(byName map[Identity][]*twin) *ranks {
	r := &ranks{bundles: make(map[string]*bundle)}
	for id, all := range byName {
		number(all)
		for _, t := range all {
			for _, p := range t.places() {
				r.add(p, id, t)
			}
		}
	}
	for _, b := range r.bundles {
		slices.SortFunc(b.lines, bytes.Compare)
	}
	return r
}

// number counts the objects with the same name in each file by line. Without known
// lines there is no order.
func number(all []*twin) {
	slices.SortStableFunc(all, func(a, b *twin) int {
		return cmp.Or(cmp.Compare(a.at.File, b.at.File), cmp.Compare(a.at.Line, b.at.Line))
	})
	for i := 1; i < len(all); i++ {
		if all[i].at.File == all[i-1].at.File && all[i-1].at.Line > 0 {
			all[i].nth = all[i-1].nth + 1
		}
	}
}

// places returns the places of an object, the widest first.
func (t *twin) places() [3]string {
	file := t.at.File
	return [3]string{path.Dir(file) + "/", file, file + "#" + strconv.Itoa(t.nth)}
}

func (r *ranks) add(place string, id Identity, t *twin) {
	b := r.bundles[place]
	if b == nil {
		b = &bundle{oldest: t.created, names: make(map[Identity]bool)}
		r.bundles[place] = b
	}
	if CompareTimes(t.created, b.oldest) < 0 {
		b.oldest = t.created
	}
	b.names[id] = true
	age, _ := t.created.MarshalJSON() // JSON lacks some years, whose objects have no age
	b.lines = append(b.lines, slices.Concat([]byte(id.Kind+"\x00"+id.Namespace+"\x00"+id.Name+"\x00"), t.content, age))
}

// compare orders two objects with the same name; the first is used.
func (r *ranks) compare(a, b *twin) int {
	if c := CompareTimes(a.created, b.created); c != 0 {
		return c
	}
	at, bt := a.places(), b.places()
	for i := range at {
		if c := r.bundles[at[i]].compare(r.bundles[bt[i]]); c != 0 {
			return c
		}
	}
	// File names only decide between objects with equal content.
	return cmp.Or(bytes.Compare(a.content, b.content), cmp.Compare(a.at.File, b.at.File), cmp.Compare(a.at.Line, b.at.Line))
}

func (b *bundle) compare(o *bundle) int {
	return cmp.Or(
		CompareTimes(b.oldest, o.oldest),
		cmp.Compare(len(o.names), len(b.names)),
		slices.CompareFunc(b.lines, o.lines, bytes.Compare),
	)
}
