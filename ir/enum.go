package ir

import (
	"fmt"
	"slices"
	"strings"
)

// enum is an enumeration whose values count from 1. One table serves formatting and
// parsing, so that they cannot diverge.
type enum[T ~uint8] struct {
	// what names the enumeration in errors, label in the text of an unknown value.
	what, label string
	texts       []string
}

func (e *enum[T]) text(v T) string {
	if v == 0 || int(v) > len(e.texts) {
		return fmt.Sprintf("%s(%d)", e.label, uint8(v))
	}
	return e.texts[v-1]
}

// marshal returns the text of v, or an error for an unknown value, which must not
// reach a file.
func (e *enum[T]) marshal(v T) ([]byte, error) {
	if v == 0 || int(v) > len(e.texts) {
		return nil, fmt.Errorf("%s: unknown value %s", e.what, e.text(v))
	}
	return []byte(e.texts[v-1]), nil
}

// parse sets *dst to the value with the text.
func (e *enum[T]) parse(dst *T, text []byte) error {
	i := slices.Index(e.texts, string(text))
	if i < 0 {
		return fmt.Errorf("%s %q: want one of %s", e.what, text, strings.Join(e.texts, ", "))
	}
	*dst = T(i + 1)
	return nil
}
