package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func parse(t testing.TB, text string) *Model {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

func goldenTexts(t testing.TB) [][]byte {
	t.Helper()
	var texts [][]byte
	for _, pattern := range []string{"../../../golden/cases/*/nftables/rules.nft", "../testdata/*.nft"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		for _, path := range list {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, b)
		}
	}
	return texts
}

const begin = "add table ip planec\ndelete table ip planec\nadd table ip6 planec\ndelete table ip6 planec\n"

// inTable is a text with one table.
func inTable(body string) string {
	return begin + "table ip planec {\n" + body + "}\n"
}

// TestParseRefuses lists texts whose parts do not fit together; package nft has those
// that nothing can be read from.
func TestParseRefuses(t *testing.T) {
	verdicts := func(elements string) string {
		return inTable("\tmap s {\n\t\ttype ipv4_addr : verdict\n\t\telements = {\n\t\t\t" + elements + "\n\t\t}\n\t}\n\n\tchain x {\n\t\taccept\n\t}\n")
	}
	parse(t, verdicts("10.0.0.1 : goto x"))
	ports := make([]string, 0, 32768)
	for i := range 32768 {
		ports = append(ports, fmt.Sprint(2*i))
	}
	parse(t, inTable("\tchain x {\n\t\ttcp dport { "+strings.Join(ports, ", ")+" } accept\n\t}\n"))
	for _, text := range []string{
		"flush ruleset\n",
		verdicts("10.0.0.1 : goto nowhere"),
		verdicts("10.0.0.1 : drop,\n\t\t\t10.0.0.1 : accept"),
		inTable("\tchain x {\n\t\tjump y\n\t}\n"),
		inTable("\tchain x {\n\t\tcounter drop\n\t}\n"),
		inTable("\tchain x {\n\t\t" + strings.Repeat("ct status dnat ", 400) + "accept\n\t}\n"),
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "nftables rules") {
			t.Errorf("error %v of\n%s", err, text)
		}
	}
}

// TestParseCountsElements compares with lines.
func TestParseCountsElements(t *testing.T) {
	for _, text := range goldenTexts(t) {
		m, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(string(text), "\n\t\t\t") - strings.Count(string(text), "\n\t\t\t}")
		if m.Elements() != lines {
			t.Errorf("%d elements on %d lines", m.Elements(), lines)
		}
		if p := diffModels(m, m); !p.Empty() {
			t.Errorf("it differs from itself: %q", p.Steps())
		}
	}
}

// FuzzParse looks for panics, and for models that cannot be planned or sent.
func FuzzParse(f *testing.F) {
	for _, text := range goldenTexts(f) {
		if len(text) < 6000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		p := diffModels(&Model{}, m)
		p.Steps()
		modelLines(m)
		if !p.Empty() {
			p.encode()
		}
		if p := diffModels(m, m); !p.Empty() {
			t.Errorf("it differs from itself: %q", p.Steps())
		}
		l := NewLive(m)
		if p, err := l.Change(text, text); err == nil && !p.Empty() {
			t.Errorf("a change to the same: %q", p.Steps())
		}
	})
}
