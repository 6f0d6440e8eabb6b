package filesource

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// keep lets a file that was read again, and is wrong, keep its previous content: all
// of it if the file as a whole is wrong, otherwise the objects that may be wrong. An
// editing mistake must take nothing from a node that serves.
func (f *file) keep(had *file) {
	f.doubtful = doubtful(f.diags)
	switch {
	case had == nil:
	case broken(f.diags):
		f.set, f.doubtful = had.set, had.doubtful
		f.kept = "the file cannot be read as a whole: its last good version is used"
	default:
		n := f.restore(had)
		for _, kind := range wrongKinds(f.diags) {
			n += retain(&f.set, &had.set, kind)
		}
		if n > 0 {
			f.kept = fmt.Sprintf("an object in it is wrong: what the last good version had besides is used (objects: %d)", n)
		}
	}
}

// restore takes the last good version of objects with unknown fields, if there is one,
// and returns how many it took. Other such objects are used as far as possible: see
// [diag.UnknownField] and [diag.UnknownPolicyField].
func (f *file) restore(had *file) (n int) {
	good := make(map[objects.Identity]bool)
	for id := range all(&had.set) {
		if f.doubtful[id] && !had.doubtful[id] {
			good[id] = true
			delete(f.doubtful, id)
		}
	}
	if len(good) == 0 {
		return 0
	}
	from := had.set.Lists()
	for i, to := range f.set.Lists() {
		exchange(to, from[i], good)
	}
	return len(good)
}

// exchange replaces objects by those of the same name in another list.
func exchange(to, from objects.List, which map[objects.Identity]bool) {
	among := func(_ int, o metav1.Object) bool { return which[objects.IdentityOf(to.Kind(), o)] }
	to.Delete(among)
	for o := range from.All() {
		if among(0, o.Object) {
			to.Add(o)
		}
	}
}

// doubtful returns the objects with fields that the API lacks, and policies with a
// repeated field.
func doubtful(diags diag.List) map[objects.Identity]bool {
	out := make(map[objects.Identity]bool)
	for _, d := range diags {
		if d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField || d.Code == diag.BadObject && d.Origin.Name != "" {
			out[objects.IdentityAt(d.Origin)] = true
		}
	}
	return out
}

// blank reports whether the file is empty, as a full disk or a killed writer
// leaves it.
func (f *file) blank() bool { return f.stamp.size == 0 }

// keepAll keeps the previous version if it has objects.
func (f *file) keepAll(had *file) {
	if had == nil {
		return
	}
	for range all(&had.set) {
		f.set, f.doubtful = had.set, had.doubtful
		f.kept = "the file has no bytes any more: its last good version is used; remove the file, or give it a comment, to remove its objects"
		return
	}
}

// wrong reports whether a part of the file could not be read. A policy with unknown
// fields closes what it selects, which must not be an agent's first action.
func (f *file) wrong() bool {
	return broken(f.diags) || len(wrongKinds(f.diags)) > 0 ||
		slices.ContainsFunc(f.diags, func(d diag.Diagnostic) bool { return d.Code == diag.UnknownPolicyField })
}

// broken reports whether the file as a whole is wrong: truncated, or not YAML.
func broken(diags diag.List) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.BadDocument || d.Code == diag.BadUTF8 })
}

// wrongKinds returns the kinds of single wrong objects, without duplicates; "" is an
// unknown kind.
func wrongKinds(diags diag.List) []string {
	var kinds []string
	for _, d := range diags {
		if (d.Code == diag.BadObject || d.Code == diag.UnnamedObject || nameInDoubt(d)) && !slices.Contains(kinds, d.Origin.Kind) {
			kinds = append(kinds, d.Origin.Kind)
		}
	}
	return kinds
}

// nameInDoubt reports whether an unknown field may be a misspelt name or namespace of
// the object.
func nameInDoubt(d diag.Diagnostic) bool {
	return (d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField) && (strings.HasPrefix(d.Origin.Path, "metadata.") || !strings.Contains(d.Origin.Path, "."))
}

// retain adds the objects of a kind that only the previous set has, and returns how
// many; "" means every kind.
func retain(set, had *objects.Set, kind string) (n int) {
	from := had.Lists()
	for i, to := range set.Lists() {
		if kind == "" || kind == to.Kind() {
			n += missing(to, from[i])
		}
	}
	return n
}

// missing adds objects whose names the list lacks, and returns how many.
func missing(to, had objects.List) (n int) {
	there := make(map[objects.Name]bool)
	for o := range to.All() {
		there[objects.NameOf(o.Object)] = true
	}
	for o := range had.All() {
		if !there[objects.NameOf(o.Object)] {
			to.Add(o)
			n++
		}
	}
	return n
}
