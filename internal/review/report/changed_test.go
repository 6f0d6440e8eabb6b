package report

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChanged wants the lines that are not old to be the new text, and those that
// are not new the old one.
func TestChanged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	read := func(text []string) []line {
		var out []line
		for _, l := range text {
			out = append(out, line{Text: l})
		}
		return out
	}
	words := []string{"a", "b", "--- c", "+++ d", "@@ -1 +1 @@", " e", "", "diff f"}
	text := func() []string {
		out := make([]string, 1+rng.IntN(30))
		for i := range out {
			out[i] = words[rng.IntN(len(words))]
		}
		return append(out, "end")
	}
	for range 3000 {
		before := text()
		after := slices.Clone(before)
		for range rng.IntN(4) {
			at := rng.IntN(len(after))
			if rng.IntN(2) == 0 {
				after = slices.Insert(after, at, words[rng.IntN(len(words))])
			} else if len(after) > 2 {
				after = slices.Delete(after, at, at+1)
			}
		}
		if rng.IntN(5) == 0 {
			after = text()
		}
		var old, now []string
		for _, l := range changed(read(before), read(after)) {
			if l.Class != "new" {
				old = append(old, l.Text)
			}
			if l.Class != "old" {
				now = append(now, l.Text)
			}
		}
		if !slices.Equal(old, before) || !slices.Equal(now, after) {
			t.Fatalf("from\n%q\nto\n%q\nit says\n%q\n%q", before, after, old, now)
		}
	}
}
