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
func dedupe[T metav1.Object](kind string, in []objects.Sourced[T], diags *diag.List) []objects.Sourced[T] {
	out := make([]objects.Sourced[T], 0, len(in))
	for _, o := range in {
		if named(kind, o, diags) {
			out = append(out, o)
		}
	}
	out = slices.Clone(objects.Unique(kind, out, diags))
	slices.SortFunc(out, func(a, b objects.Sourced[T]) int { return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object)) })
	return out
}

// named reports whether an object has a name that the API server takes.
func named[T metav1.Object](kind string, o objects.Sourced[T], diags *diag.List) bool {
	if validName(o.Object.GetNamespace()) && validName(o.Object.GetName()) {
		return true
	}
	diags.Add(diag.UnnamedObject, objects.Origin(kind, o), fmt.Sprintf("%q in namespace %q is no valid name", clip(o.Object.GetName()), clip(o.Object.GetNamespace())))
	return false
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
