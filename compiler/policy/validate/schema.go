package validate

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The functions below implement the OpenAPI keywords of the definitions, with
// the messages of kube-openapi.

func (c *checker) numberRange(path *field.Path, value, least, most int32) {
	switch {
	case value < least:
		c.Add(field.Invalid(path, value, fmt.Sprintf("%v in body should be greater than or equal to %d", path, least)))
	case value > most:
		c.Add(field.Invalid(path, value, fmt.Sprintf("%v in body should be less than or equal to %d", path, most)))
	}
}

// oneOf checks how many of the fields are set.
func (c *checker) oneOf(path *field.Path, set ...bool) {
	if countTrue(set) == 0 {
		c.noProperties(path)
	}
	c.atMostOne(path, set...)
}

func (c *checker) atMostOne(path *field.Path, set ...bool) {
	if n := countTrue(set); n > 1 {
		c.Add(field.TooMany(path, n, 1))
	}
}

func (c *checker) noProperties(path *field.Path) {
	c.Add(field.Invalid(path, int64(0), fmt.Sprintf("%v in body should have at least 1 properties", path)))
}

func countTrue(set []bool) int {
	n := 0
	for _, s := range set {
		if s {
			n++
		}
	}
	return n
}

// length checks a list that exists, and reports whether it is short enough to
// check its elements.
func (c *checker) length(path *field.Path, n, least, most int) bool {
	switch {
	case n < least:
		c.Add(field.Invalid(path, int64(n), fmt.Sprintf("%v in body should have at least %d items", path, least)))
	case n > most:
		c.Add(field.TooMany(path, n, most))
		return false
	}
	return true
}

// characters checks the length of a string. OpenAPI counts characters, whatever
// the message says.
func (c *checker) characters(path *field.Path, s string, most int) {
	if utf8.RuneCountInString(s) > most {
		c.Add(field.TooLong(path, "", most))
	}
}

// enum checks a required string against its valid values.
func enum[T ~string](c *checker, path *field.Path, value T, valid []T) {
	switch {
	case value == "":
		c.Add(field.Required(path, ""))
	case !slices.Contains(valid, value):
		c.Add(field.NotSupported(path, string(value), valid))
	}
}

// unique checks a list that must be a set. As in the API server, a value that
// occurs three times is one error.
func unique[T ~string](c *checker, path *field.Path, list []T) {
	times := make(map[T]int, len(list))
	each(c, path, list, func(at *field.Path, v *T) {
		times[*v]++
		if times[*v] == 2 {
			c.Add(field.Duplicate(at, string(*v)))
		}
	})
}
