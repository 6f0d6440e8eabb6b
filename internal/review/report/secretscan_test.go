package report

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestScansAreTheExpressions holds what is looked for by hand against regular expressions
// that say the same, on random texts.
func TestScansAreTheExpressions(t *testing.T) {
	begin := regexp.MustCompile(`(?m)^---(?:[ \t\r].*)?$`)
	kind := regexp.MustCompile(`(?m)^kind: *[A-Za-z0-9]+ *\r?$`)
	veil := regexp.MustCompile(`(?i:secret)|[\\*!&\x00]|ſ`)
	pieces := []string{"---", "--- ", "---x", "---\t# a", "\n", "\n", "\r\n", "kind:", " kind:", "kind: ", "\nkind: Pod", "\nkind: Job\r", "Service", " ", "Pod", "\r", "é", "sEcret", "SECRE", "T", "ſ", "*", "&", "!", "\\", "\x00", "s", "-", "\xff"}
	random := rand.New(rand.NewPCG(1, 2))
	found := [3]int{}
	for range 30000 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		text := []byte(b.String())
		start, end := separator(text)
		if at := begin.FindIndex(text); at == nil && start != -1 || at != nil && (at[0] != start || at[1] != end) {
			t.Fatalf("%q: a separator at %d to %d, want %v", text, start, end, at)
		}
		if got, want := hasPlainKind(text), kind.Match(text); got != want {
			t.Fatalf("%q: a kind in plain words: %v, want %v", text, got, want)
		}
		if got, want := isVeiled(text), veil.Match(text); got != want {
			t.Fatalf("%q: veiled: %v, want %v", text, got, want)
		}
		for i, yes := range []bool{start >= 0, hasPlainKind(text), isVeiled(text)} {
			if yes {
				found[i]++
			}
		}
	}
	for i, n := range found {
		if n < 1000 {
			t.Errorf("only %d texts had what scan %d looks for", n, i)
		}
	}
}
