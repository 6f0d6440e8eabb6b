package objects

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ranks orders the places that objects of one name stand in, so that the choice is the
// same for all objects of a place: a Service of one overlay and a Deployment of another
// are a pair that stands nowhere together. A place is a directory, a file of it, and of a file the
// first, second, ... object of each name, as concatenated overlays have them. The names
// of places do not matter, only what stands there: the place of the oldest object comes
// first, then the one with the most names, then the one whose content sorts first.
type ranks struct {
	// bundles are what stands in each place.
	bundles map[string]*bundle
}

// bundle is the objects of a place that stand in others too.
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

// number counts the objects of one name in each file, in the order of lines; where no
// line is known there is no order.
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

// places are those that an object stands in, the widest first.
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
	age, _ := t.created.MarshalJSON() // of a year that JSON has not there is none
	b.lines = append(b.lines, slices.Concat([]byte(id.Kind+"\x00"+id.Namespace+"\x00"+id.Name+"\x00"), t.content, age))
}

// compare orders two objects of one name; the first is the one that is used.
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
	// Names decide between those that say the same only.
	return cmp.Or(bytes.Compare(a.content, b.content), cmp.Compare(a.at.File, b.at.File), cmp.Compare(a.at.Line, b.at.Line))
}

func (b *bundle) compare(o *bundle) int {
	return cmp.Or(
		CompareTimes(b.oldest, o.oldest),
		cmp.Compare(len(o.names), len(b.names)),
		slices.CompareFunc(b.lines, o.lines, bytes.Compare),
	)
}
