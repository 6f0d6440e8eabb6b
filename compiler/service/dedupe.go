package service

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// dedupe returns the objects in the order of their names, each name once, and
// without those whose names the API server would refuse. Which of two objects
// with one name stays does not depend on the order of the input.
func dedupe[T metav1.Object](kind string, in []objects.Sourced[T], diags *diag.List) []objects.Sourced[T] {
	out := make([]objects.Sourced[T], 0, len(in))
	for _, o := range in {
		if !validName(o.Object.GetNamespace()) || !validName(o.Object.GetName()) {
			diags.Add(diag.UnnamedObject, objects.Origin(kind, o), fmt.Sprintf("%q in namespace %q is no valid name", clip(o.Object.GetName()), clip(o.Object.GetNamespace())))
			continue
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b objects.Sourced[T]) int {
		// Content is dear to compare, and duplicates are rare.
		if c := compareNames(a.Object, b.Object); c != 0 {
			return c
		}
		return compareDuplicates(a, b)
	})
	kept := out[:0]
	for _, o := range out {
		if n := len(kept); n > 0 && compareNames(kept[n-1].Object, o.Object) == 0 {
			reportDuplicate(kind, kept[n-1], o, diags)
			continue
		}
		kept = append(kept, o)
	}
	return kept
}

func compareNames[T metav1.Object](a, b T) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// compareDuplicates puts the object that stays first: the older, then the one
// whose content sorts first, then the one whose place does.
func compareDuplicates[T metav1.Object](a, b objects.Sourced[T]) int {
	if c := compareAge(a.Object, b.Object); c != 0 {
		return c
	}
	return cmp.Or(
		bytes.Compare(content(a.Object), content(b.Object)),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
	)
}

// compareAge orders objects by creation.
func compareAge[T metav1.Object](a, b T) int {
	return compareTimes(a.GetCreationTimestamp(), b.GetCreationTimestamp())
}

// compareTimes orders times of creation. An object without one does not exist yet
// and is the youngest.
func compareTimes(a, b metav1.Time) int {
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

func reportDuplicate[T metav1.Object](kind string, stays, goes objects.Sourced[T], diags *diag.List) {
	if bytes.Equal(content(stays.Object), content(goes.Object)) {
		return
	}
	where := ""
	if pos := objects.Origin(kind, stays).Position(); pos != "" {
		where = " at " + pos
	}
	diags.Add(diag.DuplicateObject, objects.Origin(kind, goes), "the same object stands"+where+" with other content, and that one is used")
}

// content is an object as JSON. Objects of the Kubernetes API always marshal;
// one that does not sorts as empty.
func content(o any) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	return b
}

// validName accepts what can be a DNS subdomain (RFC 1123), which every object
// name here must be. It is a loop because it runs for every object.
func validName(s string) bool {
	if s == "" || len(s) > 253 || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
