package backends

import (
	"fmt"
	"slices"
	"strings"
)

// mostNamed is the number of objects that a step of a plan names.
const mostNamed = 3

// Named collects the names of objects behind the elements or rules of one step, and
// keeps the first in alphabetical order: kernels list elements in any order, and the
// text of a plan must be deterministic.
type Named struct {
	// names is sorted.
	names []string
	// more reports that further names were left out.
	more bool
}

// Add takes a name as written in rules, "shop/web:http"; "" adds nothing.
func (n *Named) Add(name string) {
	at, there := slices.BinarySearch(n.names, name)
	if name == "" || there {
		return
	}
	n.names = slices.Insert(n.names, at, name)
	if len(n.names) > mostNamed {
		n.names, n.more = n.names[:mostNamed], true
	}
}

// String returns " of shop/web:http, shop/db", or "" without names.
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

// Count formats a number and what it counts: "1 rule", "2 rules".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
