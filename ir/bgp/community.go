package bgp

import (
	"fmt"
	"slices"
)

// Community is a community of BGP: a standard one of RFC 1997, two numbers of 16 bits, or a
// large one of RFC 8092, three of 32 bits.
type Community struct {
	Large bool
	Parts [3]uint32 // of a standard one the last is 0
}

// String returns "64512:1", or "64512:1:2" for a large one.
func (c Community) String() string {
	if c.Large {
		return fmt.Sprintf("%d:%d:%d", c.Parts[0], c.Parts[1], c.Parts[2])
	}
	return fmt.Sprintf("%d:%d", c.Parts[0], c.Parts[1])
}

// Compare orders standard ones before large ones, and then by number.
func (c Community) Compare(o Community) int {
	if c.Large != o.Large {
		if o.Large {
			return -1
		}
		return 1
	}
	return slices.Compare(c.Parts[:], o.Parts[:])
}

// Merge returns the communities of both lists, sorted, each once.
func Merge(a, b []Community) []Community {
	out := slices.Concat(a, b)
	slices.SortFunc(out, Community.Compare)
	return slices.Compact(out)
}
