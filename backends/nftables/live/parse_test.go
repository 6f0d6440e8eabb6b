package live

import (
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

func chainOfRule(rule string) string {
	return inTable("\tset s {\n\t\ttype ipv4_addr\n\t}\n\n\tchain x {\n\t\t" + rule + "\n\t}\n")
}

func setOf(declaration, element string) string {
	return inTable("\tmap s {\n\t\t" + declaration + "\n\t\telements = {\n\t\t\t" + element + "\n\t\t}\n\t}\n")
}

// TestParseRefuses lists texts that are not the backend's.
func TestParseRefuses(t *testing.T) {
	const verdicts = "type ipv4_addr : verdict"
	for _, text := range []string{
		"", "flush ruleset\n", begin + "table inet planec {\n}\n", begin + "table ip other {\n}\n",
		begin + "table ip planec {\n", begin + begin,
		begin + "table ip6 planec {\n}\ntable ip planec {\n}\n",
		inTable("\tflowtable f {\n\t}\n"),
		inTable("\tset s {\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr : verdict\n\t}\n"),
		inTable("\tmap s {\n\t\ttype ipv4_addr\n\t}\n"),
		inTable("\tset s {\n\t\ttype mark\n\t\tflags interval\n\t\telements = {\n\t\t\t1-2\n\t\t}\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t}\n"),
		inTable("\tchain x {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n"),
		inTable("\tchain x {\n\t}\n\n\tchain x {\n\t}\n"),
		inTable("\tchain x\"y {\n\t}\n"),
		setOf(verdicts, "10.0.0.1 : goto nowhere"), setOf(verdicts, "10.0.0.1"), setOf(verdicts, "10.0.0.1 : queue"),
		setOf(verdicts, "10.0.0.256 : drop"), setOf(verdicts, "10.0.0.01 : drop"), setOf(verdicts, "::1 : drop"),
		setOf(verdicts, "10.0.0.0/8 : drop"), setOf(verdicts, "10.0.0.1 : drop ; flush"), setOf(verdicts, `10.0.0.1 comment "x : drop`),
		setOf(verdicts, "10.0.0.1 : drop,\n\t\t\t10.0.0.1 : accept"),
		setOf("type ipv4_addr . inet_service : verdict", "10.0.0.1 . 65536 : drop"),
		setOf("type ipv4_addr . inet_service : verdict", "10.0.0.1 : drop"),
		setOf(verdicts, `10.0.0.1 comment "`+strings.Repeat("x", 129)+`" : drop`),
		chainOfRule("jump y"), chainOfRule("tcp dport { 2, 1 } accept"), chainOfRule("tcp dport 70000 accept"),
		chainOfRule("ip saddr @t drop"), chainOfRule("ip6 saddr @s drop"), chainOfRule("ip saddr vmap @s"),
		chainOfRule("counter drop"), chainOfRule("ct state new,invalid drop"), chainOfRule("drop comment \"x"),
		chainOfRule("update @s { ip saddr : meta mark }"), chainOfRule("dnat ip to ip saddr map @s"),
		chainOfRule("ip saddr 10.0.0.0/9 drop"), chainOfRule("iifname \"averyverylongname\" drop"), chainOfRule("drop  "),
		chainOfRule(`comment "nothing"`), chainOfRule("meta mark set meta mark | 0x1ffffffff"),
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("taken:\n%s", text)
		} else if testing.Verbose() {
			t.Log(err)
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
