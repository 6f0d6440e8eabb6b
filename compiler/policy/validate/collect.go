package validate

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxErrors is the maximum number of reported errors of a policy; then its check
// ends. A hostile policy may have hundreds of thousands.
const maxErrors = 100

// Checker collects why an object would be refused. The front ends of other dialects have
// it too.
type Checker struct {
	Errs field.ErrorList // the first 100 errors
}

// Full reports whether there are so many errors that the check can end.
func (c *Checker) Full() bool { return len(c.Errs) >= maxErrors }

// Add adds an error, unless there are enough.
func (c *Checker) Add(e *field.Error) {
	if !c.Full() {
		c.Errs = append(c.Errs, e)
	}
}

// AddAll adds errors.
func (c *Checker) AddAll(errs field.ErrorList) {
	for _, e := range errs {
		c.Add(e)
	}
}

// Invalid adds an error about a value that is not valid.
func (c *Checker) Invalid(at *field.Path, value any, why string) {
	c.Add(field.Invalid(at, value, why))
}

// Forbidden adds an error about a field that must not be there.
func (c *Checker) Forbidden(at *field.Path, why string) { c.Add(field.Forbidden(at, why)) }

// Required adds an error about a field that must be there.
func (c *Checker) Required(at *field.Path, why string) { c.Add(field.Required(at, why)) }

// OneOf requires a value to be a known one.
func (c *Checker) OneOf(at *field.Path, value string, known ...string) {
	if !slices.Contains(known, value) {
		c.Add(field.NotSupported(at, Bounded(value), known))
	}
}

// AtMost requires a list to have no more items, and reports whether that holds.
func (c *Checker) AtMost(at *field.Path, have, most int) bool {
	if have > most {
		c.Add(field.TooMany(at, have, most))
	}
	return have <= most
}

// Bounded is a value for an error: its start, if it is long.
func Bounded(s string) string {
	const longest = 100
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}
