package ir

import (
	"fmt"
	"strings"
)

// parseEnum sets *dst to the value whose String is s. Every enumeration of the
// package is read back this way, so writing and reading cannot drift apart.
func parseEnum[T fmt.Stringer](dst *T, s, what string, all []T) error {
	names := make([]string, len(all))
	for i, v := range all {
		if v.String() == s {
			*dst = v
			return nil
		}
		names[i] = v.String()
	}
	return fmt.Errorf("%s %q: want one of %s", what, s, strings.Join(names, ", "))
}

// marshalEnum returns the text of v, or an error when v is none of the known
// values: an unknown value must not reach a file.
func marshalEnum[T interface {
	comparable
	fmt.Stringer
}](v T, what string, all []T,
) ([]byte, error) {
	for _, known := range all {
		if v == known {
			return []byte(v.String()), nil
		}
	}
	return nil, fmt.Errorf("%s: unknown value %v", what, v)
}
