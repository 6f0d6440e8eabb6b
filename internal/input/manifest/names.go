package manifest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/planec/planec/compiler/objects"
)

// isLabel reports whether s is a DNS label as RFC 1123 has it: what the API
// server asks of namespaces, and of Services since their names may start with a
// digit (KEP-5311; before it they could not).
func isLabel(s string) bool {
	return len(s) > 0 && len(s) <= 63 && !strings.Contains(s, ".") && isSubdomain(s)
}

// isSubdomain reports whether s is a DNS subdomain as RFC 1123 has it: labels
// of lower-case letters, digits and hyphens, with dots between them. It is
// apimachinery's IsDNS1123Subdomain, which takes a regular expression's time.
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

// complete gives an object that has a generateName only a name as the API server makes
// one (staging/src/k8s.io/apiserver/pkg/storage/names/generate.go): what it was given, cut
// to 58 characters, and five more. These are made of the object, so that the name is the
// same wherever and how often it is read.
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

// nameProblem says why the object cannot have its name, or "".
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

// bounded quotes a value of the user's, or its start.
func bounded(s string) string {
	const longest = 100
	if len(s) > longest {
		return fmt.Sprintf("%q...", s[:longest])
	}
	return fmt.Sprintf("%q", s)
}
