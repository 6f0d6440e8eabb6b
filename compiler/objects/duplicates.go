package objects

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// CompareFirst orders objects of one kind by precedence, for everything that only
// one of them can have: the older object first, then by namespace and name, then by
// content. Every decision between objects uses this order.
func CompareFirst[T metav1.Object](a, b Sourced[T]) int {
	return cmp.Or(
		CompareTimes(a.Object.GetCreationTimestamp(), b.Object.GetCreationTimestamp()),
		NameOf(a.Object).Compare(NameOf(b.Object)),
		compareSame(a, b),
	)
}

// compareSame orders objects with the same age and name. It compares content
// only if names are equal, because that is expensive.
func compareSame[T metav1.Object](a, b Sourced[T]) int {
	if NameOf(a.Object) != NameOf(b.Object) {
		return 0
	}
	return cmp.Or(
		bytes.Compare(content(a.Object), content(b.Object)),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
	)
}

// CompareTimes orders creation times. The zero time is the latest: an object without
// one is not in the cluster yet. Every decision by age uses this order.
func CompareTimes(a, b metav1.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b.Time)
}

// content returns an object as JSON, without its age: an object in the cluster and an
// equal one in a file are the same. Objects of the Kubernetes API can always be
// marshalled; an object that cannot sorts as empty.
func content(o metav1.Object) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	created := o.GetCreationTimestamp()
	age, err := created.MarshalJSON()
	if err != nil {
		return b
	}
	// Labels and annotations follow it.
	before, after, found := bytes.Cut(b, append([]byte(`"creationTimestamp":`), age...))
	if !found {
		return b
	}
	if rest, comma := bytes.CutPrefix(after, []byte{','}); comma {
		after = rest
	} else {
		before = bytes.TrimSuffix(before, []byte{','})
	}
	return slices.Concat(before, after)
}

// Deduplicate keeps one object of each kind and name in the set, preserving the
// order, and reports removed objects with different content. All readers of objects
// rely on it. It ignores workloads of unknown kinds.
//
// It keeps the older object. Among equally old ones, one place decides for all its
// objects, so that objects of different places are never combined: see [ranks].
func (s *Set) Deduplicate(diags *diag.List) {
	lists := s.Lists()
	var twice []twin
	for _, l := range lists {
		twice = append(twice, l.repeated()...)
	}
	leaveOut(twice, diags, lists...)
}

// Unique is [Set.Deduplicate] for a single list.
func Unique[T metav1.Object](kind string, in []Sourced[T], diags *diag.List) []Sourced[T] {
	l := listOf(kind, &in)
	leaveOut(l.repeated(), diags, l)
	return in
}

// leaveOut keeps one object of each name in the lists.
func leaveOut(twice []twin, diags *diag.List, from ...List) {
	if len(twice) == 0 {
		return
	}
	unwanted := decide(twice, diags)
	for _, l := range from {
		l.Delete(func(i int, _ metav1.Object) bool { return unwanted[member{l.Kind(), i}] })
	}
}

// kindOf is the kind of an object in a list; workloads and entries have their own, and "" marks an
// object that is ignored.
func kindOf(list string, o metav1.Object) string {
	if e, isEntry := o.(*Entry); isEntry {
		return e.Kind
	}
	w, isWorkload := o.(*Workload)
	switch {
	case !isWorkload:
		return list
	case w.Opaque:
		return ""
	}
	return w.Kind
}

// twin is one of several objects with the same name. index is its index in its list.
type twin struct {
	id      Identity
	list    string
	index   int
	at      ir.Origin
	created metav1.Time
	content []byte
	// nth counts the objects with this name in its file, from 0.
	nth int
}

// repeated lists the objects of a list that share their name with others.
func (l list[T]) repeated() []twin {
	in := *l.in
	first := make(map[Identity]int, len(in))
	var out []twin
	add := func(i int, id Identity) {
		o := in[i].Object
		out = append(out, twin{id: id, list: l.kind, index: i, at: Origin(id.Kind, in[i]), created: o.GetCreationTimestamp(), content: content(o)})
	}
	for i, o := range in {
		id := IdentityOf(kindOf(l.kind, o.Object), o.Object)
		if id.Kind == "" {
			continue
		}
		had, again := first[id]
		switch {
		case !again:
			first[id] = i
			continue
		case had >= 0:
			add(had, id)
			first[id] = -1
		}
		add(i, id)
	}
	return out
}

// member is an object of a list.
type member struct {
	list  string
	index int
}

// decide returns the objects that are not used, and reports those that differ from
// the used one.
func decide(twins []twin, diags *diag.List) map[member]bool {
	byName := make(map[Identity][]*twin)
	for i := range twins {
		byName[twins[i].id] = append(byName[twins[i].id], &twins[i])
	}
	r := newRanks(byName)
	unwanted := make(map[member]bool, len(twins))
	for _, all := range byName {
		stays := slices.MinFunc(all, r.compare)
		for _, t := range all {
			if t == stays {
				continue
			}
			unwanted[member{t.list, t.index}] = true
			if !bytes.Equal(t.content, stays.content) {
				where := ""
				if pos := stays.at.Position(); pos != "" {
					where = " at " + pos
				}
				diags.Add(diag.DuplicateObject, t.at, "the same object stands"+where+" with other content, and that one is used")
			}
		}
	}
	return unwanted
}
