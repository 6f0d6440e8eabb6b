// Package suggest finds the intended word behind a mistyped one.
package suggest

import (
	"slices"
	"strings"
)

// DidYouMean returns ": did you mean X?" for the nearest known name if it is
// near enough to be a typo, and "" otherwise.
func DidYouMean(name string, known []string) string {
	best := Nearest(name, known)
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// Nearest returns the known name nearest to a word, the first of several, if it is near
// enough to be a typo, and "" otherwise. A name that differs only in case is preferred.
func Nearest(name string, known []string) string {
	best, bestDistance := "", len(name)/3+1
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
		if d := distance(strings.ToLower(name), strings.ToLower(k), bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to add, remove, replace or swap with a
// neighbour to turn one word into the other, or limit if it is at least that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	// The rows of the previous two letters of a, and of this one.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}

// mostMeant bounds the names of one suggestion.
const mostMeant = 3

// InFull returns ": did you mean shop/web or blog/web?" for the names that a word is the last
// part of, in their order, of which the first few are listed. Where it is none of them, it
// is taken for a typo of one, and "" is that nothing is near.
func InFull(word string, known []string) string {
	var meant, lasts []string
	for _, k := range known {
		last := k[strings.LastIndexByte(k, '/')+1:]
		lasts = append(lasts, last)
		if last == word && !slices.Contains(meant, k) {
			meant = append(meant, k)
		}
	}
	if at := slices.Index(lasts, Nearest(word, lasts)); len(meant) == 0 && at >= 0 && lasts[at] != "" {
		meant = []string{known[at]}
	}
	if len(meant) == 0 {
		return ""
	}
	return ": did you mean " + Or(meant) + "?"
}

// Or joins the first few names: "a, b or c".
func Or(names []string) string {
	names = names[:min(len(names), mostMeant)]
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
