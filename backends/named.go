package backends

import (
	"fmt"
	"slices"
	"strings"
)

// mostNamed is how many objects a step of a plan names.
const mostNamed = 3

// Named collects what the elements or rules of one step belong to, and keeps the first
// names of the alphabet: a kernel lists elements in an order of its own, and a plan
// reads the same every time.
type Named struct {
	// names is sorted.
	names []string
	// more is whether there are others.
	more bool
}

// Add takes a name as rules have it, "shop/web:http"; "" is none.
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
