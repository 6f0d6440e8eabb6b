package manifest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/planec/planec/compiler/objects"
)

// isLabel reports whether s is an RFC 1123 DNS label, as the API server
// requires of namespaces, and of Services since their names may start with a
// digit (KEP-5311).
func isLabel(s string) bool {
	return len(s) > 0 && len(s) <= 63 && !strings.Contains(s, ".") && isSubdomain(s)
}

// isSubdomain reports whether s is an RFC 1123 DNS subdomain: labels of
// lower-case letters, digits and hyphens, separated by dots. It replaces
// apimachinery's IsDNS1123Subdomain, whose regular expression is slow.
func isSubdomain(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	last := byte('.')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && last != '.':
		case c == '.' && last != '.' && last != '-':
		default:
			return false
		}
		last = c
	}
	return last != '-' && last != '.'
}

// complete names an object that only has a generateName, in the API server's format
// (staging/src/k8s.io/apiserver/pkg/storage/names/generate.go): the prefix, cut to 58
// characters, and five more. Here these are derived from the object, so that the name is
// stable.
func (t *text) complete(o interface {
	GetName() string
	SetName(string)
	GetGenerateName() string
},
) {
	const longest, letters = 58, "bcdfghjklmnpqrstvwxz2456789"
	begins := o.GetGenerateName()
	if o.GetName() != "" || begins == "" {
		return
	}
	sum := sha256.Sum256(t.json)
	name := []byte(begins[:min(len(begins), longest)])
	for _, b := range sum[:5] {
		name = append(name, letters[int(b)%len(letters)])
	}
	o.SetName(string(name))
}

// nameProblem says why the name of the object is invalid, or returns "".
func nameProblem(o objects.Meta, where scope, rule func(string) bool) string {
	name := o.GetName()
	switch {
	case name == "":
		return "metadata.name is missing"
	case !rule(name):
		return fmt.Sprintf("metadata.name %s is no valid name", bounded(name))
	case where == namespaced && !isLabel(o.GetNamespace()):
		return fmt.Sprintf("metadata.namespace %s is no valid name", bounded(o.GetNamespace()))
	}
	return ""
}

// bounded quotes a user's value, or its start.
func bounded(s string) string {
	const longest = 100
	if len(s) > longest {
		return fmt.Sprintf("%q...", s[:longest])
	}
	return fmt.Sprintf("%q", s)
}
