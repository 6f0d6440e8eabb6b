package ir

import (
	"fmt"
	"strings"
)

// parseEnum sets *dst to the value whose String is s. All enumerations of the
// package are parsed by it, so that parsing and formatting cannot diverge.
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

// marshalEnum returns the text of v, or an error for an unknown value, which
// must not reach a file.
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
