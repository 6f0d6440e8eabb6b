package backends

import (
	"fmt"
	"slices"
	"strings"
)

// mostNamed is how many objects a step of a plan names.
const mostNamed = 3

// Named collects what the elements or rules of one step belong to.
type Named struct {
	names []string
	// more is whether there are others.
	more bool
}

// Add takes a name as rules have it, "shop/web:http"; "" is none. It reports whether
// another one would make a difference.
func (n *Named) Add(name string) bool {
	switch {
	case name == "" || slices.Contains(n.names, name):
	case len(n.names) == mostNamed:
		n.more = true
	default:
		n.names = append(n.names, name)
	}
	return !n.more
}

// String is " of shop/web:http, shop/db", or "" where there is no name.
func (n *Named) String() string {
	if len(n.names) == 0 {
		return ""
	}
	text := " of " + strings.Join(n.names, ", ")
	if n.more {
		return text + " and others"
	}
	return text
}

// Count is a number and what it counts: "1 rule", "2 rules".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
