package service

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// dedupe returns the objects sorted by name, without duplicates and without
// names that the API server would reject.
// If unique is set, no two objects have one name.
func dedupe[T metav1.Object](kind string, in []objects.Sourced[T], unique bool, diags *diag.List) []objects.Sourced[T] {
	out := make([]objects.Sourced[T], 0, len(in))
	for _, o := range in {
		if !validName(o.Object.GetNamespace()) || !validName(o.Object.GetName()) {
			diags.Add(diag.UnnamedObject, objects.Origin(kind, o), fmt.Sprintf("%q in namespace %q is no valid name", clip(o.Object.GetName()), clip(o.Object.GetNamespace())))
			continue
		}
		out = append(out, o)
	}
	if !unique {
		out = slices.Clone(objects.Unique(kind, out, diags))
	}
	slices.SortFunc(out, func(a, b objects.Sourced[T]) int { return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object)) })
	return out
}

// validName accepts DNS subdomains (RFC 1123), as required of every object name
// here. It is a loop and not a regular expression because it runs for every object.
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
