package selector_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/compiler/policy/calico/selector"
)

// meets reports whether labels meet a literal, by its documentation.
func meets(l *selector.Literal, labels selector.Map) bool {
	v, there := labels[l.Label]
	holds := there
	switch l.Asks {
	case selector.OneOf:
		holds = there && strings.Contains(","+strings.Join(l.Values, ",")+",", ","+v+",")
	case selector.Contains:
		holds = there && strings.Contains(v, l.Values[0])
	case selector.StartsWith:
		holds = there && strings.HasPrefix(v, l.Values[0])
	case selector.EndsWith:
		holds = there && strings.HasSuffix(v, l.Values[0])
	}
	return holds != l.Not
}

func TestAlternatives(t *testing.T) {
	for _, text := range []string{
		"", "all()", "!all()", "a == 'x'", "a != 'x'", "!(a == 'x')", "!has(a)", "!(a in {'x', 'y'})", "a not in {'x'} || b == 'y'", "!(a == 'x' || b != 'y')",
		"a == 'x' && (b == 'x' || !has(b)) && !(a == 'y' && has(b))", "a starts with 'x' || !(b ends with 'y')", "!(a contains 'x' && (b == 'y' || global()))", "!!has(a)",
	} {
		s, err := selector.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all, ok := s.Alternatives(64)
		if !ok {
			t.Errorf("%q has too many alternatives", text)
		}
		for _, a := range []string{"", "x", "y", "xy", "z"} {
			for _, b := range []string{"", "x", "y", "xy", "z"} {
				labels := selector.Map{}
				if a != "" {
					labels["a"] = a
				}
				if b != "" {
					labels["b"] = b
				}
				got := false
				for _, literals := range all {
					every := true
					for i := range literals {
						every = every && meets(&literals[i], labels)
					}
					got = got || every
				}
				if want := s.Matches(labels); got != want {
					t.Errorf("%q: the alternatives say %v of %v, the selector %v", text, got, labels, want)
				}
			}
		}
	}
}

// TestAlternativesBounded multiplies out a selector that would be 2^40 conjunctions.
func TestAlternativesBounded(t *testing.T) {
	var parts []string
	for i := range 40 {
		parts = append(parts, fmt.Sprintf("(a%d == 'x' || b%d == 'y')", i, i))
	}
	s, err := selector.Parse(strings.Join(parts, " && "))
	if err != nil {
		t.Fatal(err)
	}
	if all, ok := s.Alternatives(64); ok || all != nil {
		t.Errorf("%d alternatives, ok is %v", len(all), ok)
	}
	if n := len(s.Literals()); n != 80 {
		t.Errorf("%d literals, 80 are written", n)
	}
}
