package service

import (
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
		if c := objects.CompareNames(a.Object, b.Object); c != 0 {
			return c
		}
		return objects.CompareDuplicates(a, b)
	})
	kept := out[:0]
	for _, o := range out {
		if n := len(kept); n > 0 && objects.CompareNames(kept[n-1].Object, o.Object) == 0 {
			objects.ReportDuplicate(kind, kept[n-1], o, diags)
			continue
		}
		kept = append(kept, o)
	}
	return kept
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
