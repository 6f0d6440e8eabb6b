package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// elementLines are the lines of a text that have elements, sorted.
func elementLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "\t\t\t"); ok {
			list = append(list, strings.TrimSuffix(strings.TrimSuffix(rest, "\n"), ","))
		}
	}
	slices.Sort(list)
	return list
}

func modelLines(m *Model) []string {
	var list []string
	for _, t := range m.Tables {
		for _, s := range t.Sets {
			list = slices.AppendSeq(list, s.Lines())
		}
	}
	slices.Sort(list)
	return list
}

// TestLines writes what was parsed, and finds the text again.
func TestLines(t *testing.T) {
	for _, text := range goldenTexts(t) {
		if d := cmp.Diff(elementLines(string(text)), modelLines(parse(t, string(text)))); d != "" {
			t.Errorf("-text +lines:\n%s", d)
		}
	}
}
