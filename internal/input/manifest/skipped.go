package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// maxTally bounds the separately counted kinds; a hostile file may have millions.
const maxTally = 1000

// tally counts the objects that were skipped, by kind.
type tally map[string]int

func (t *tally) count(kind string, n int) {
	if *t == nil {
		*t = tally{}
	}
	if _, known := (*t)[kind]; !known && len(*t) >= maxTally {
		kind = otherKinds
	}
	(*t)[kind] += n
}

func (t *tally) add(other tally) {
	for _, kind := range slices.Sorted(maps.Keys(other)) {
		t.count(kind, other[kind])
	}
}

const (
	otherKinds  = "of other kinds"
	unknownKind = "without a kind"
)

// String lists the kinds, most frequent first, on one bounded line.
func (t tally) String() string {
	const shownKinds, longestName = 12, 60
	kinds := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
	var parts []string
	rest := 0
	for i, kind := range kinds {
		if i >= shownKinds {
			rest += t[kind]
			continue
		}
		if len(kind) > longestName {
			kind = strings.ToValidUTF8(kind[:longestName], "") + "..."
		}
		parts = append(parts, fmt.Sprintf("%d %s", t[kinds[i]], diag.Printable(kind)))
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(parts, ", ")
}
