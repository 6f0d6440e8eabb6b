package filesource

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// keep makes a file that was read again, and is wrong, say what it said before: all of
// it where the file is not what it should be as a whole, and else those objects that
// may be the ones that are wrong. What is wrong may be a slip of an editor, and must
// take nothing from a node that serves.
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

// restore takes the last good version of the objects of which fields are unknown, where
// there is one, and returns how many it took. Without one the object is used as far as it
// can be: see [diag.UnknownField] and [diag.UnknownPolicyField].
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

// exchange puts objects of another list in the place of those of their names.
func exchange(to, from objects.List, which map[objects.Identity]bool) {
	among := func(_ int, o metav1.Object) bool { return which[objects.IdentityOf(to.Kind(), o)] }
	to.Delete(among)
	for o := range from.All() {
		if among(0, o.Object) {
			to.Add(o)
		}
	}
}

// doubtful are the objects that have fields which the API does not have, or policies that
// have one twice.
func doubtful(diags diag.List) map[objects.Identity]bool {
	out := make(map[objects.Identity]bool)
	for _, d := range diags {
		if d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField || d.Code == diag.BadObject && d.Origin.Name != "" {
			out[objects.IdentityAt(d.Origin)] = true
		}
	}
	return out
}

// blank reports whether the file has no bytes, as a full disk or a writer that was
// killed leaves it.
func (f *file) blank() bool { return f.stamp.size == 0 }

// keepAll takes the version before, where it has objects.
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

// wrong reports whether something of the file could not be read. A policy that has
// unknown fields closes what it selects, which must not be the first that an agent does.
func (f *file) wrong() bool {
	return broken(f.diags) || len(wrongKinds(f.diags)) > 0 ||
		slices.ContainsFunc(f.diags, func(d diag.Diagnostic) bool { return d.Code == diag.UnknownPolicyField })
}

// broken reports whether the file is not what it should be as a whole: cut off,
// or no YAML at all.
func broken(diags diag.List) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.BadDocument || d.Code == diag.BadUTF8 })
}

// wrongKinds are the kinds of objects that are wrong by themselves, each once; "" is
// one of a kind that is not known.
func wrongKinds(diags diag.List) []string {
	var kinds []string
	for _, d := range diags {
		if (d.Code == diag.BadObject || d.Code == diag.UnnamedObject || nameInDoubt(d)) && !slices.Contains(kinds, d.Origin.Kind) {
			kinds = append(kinds, d.Origin.Kind)
		}
	}
	return kinds
}

// nameInDoubt reports whether an unknown field may be what an object's name or namespace
// was meant to be.
func nameInDoubt(d diag.Diagnostic) bool {
	return (d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField) && (strings.HasPrefix(d.Origin.Path, "metadata.") || !strings.Contains(d.Origin.Path, "."))
}

// retain adds the objects of a kind that a set lacks and another has, and returns how
// many; "" is every kind.
func retain(set, had *objects.Set, kind string) (n int) {
	from := had.Lists()
	for i, to := range set.Lists() {
		if kind == "" || kind == to.Kind() {
			n += missing(to, from[i])
		}
	}
	return n
}

// missing adds those objects to a list whose names it lacks, and returns how many.
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
