package proofmutants

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// text is a file of rules of one of the tools.
type text struct {
	rng   *rand.Rand
	lines []string
	// chains are the names of chains by table, and table is that of each line.
	chains map[string][]string
	table  []string
	// block is the chain or set of each line, "" outside of them.
	block []string
}

// The first line of a table, and that of a chain, in the languages of nft and of
// iptables-restore.
var (
	tableLine = regexp.MustCompile(`^(?:table (\S+ \S+) \{|\*(\S+))$`)
	chainLine = regexp.MustCompile(`^(?:\tchain (\S+) \{|:(PLC-\S+) .*)$`)
	setLine   = regexp.MustCompile(`^\t(?:set|map) (\S+) \{$`)
	restored  = regexp.MustCompile(`^(?:-[AI]|add|-[Aa]|address add) (\S+)`)
)

func newText(rng *rand.Rand, content string) *text {
	t := &text{rng: rng, lines: strings.Split(content, "\n"), chains: make(map[string][]string)}
	table, block := "", ""
	for _, line := range t.lines {
		if m := tableLine.FindStringSubmatch(line); m != nil {
			table = m[1] + m[2]
		}
		if m := chainLine.FindStringSubmatch(line); m != nil {
			t.chains[table] = append(t.chains[table], m[1]+m[2])
			block = m[1]
		}
		if m := setLine.FindStringSubmatch(line); m != nil {
			block = "@" + m[1]
		}
		if line == "\t}" {
			block = ""
		}
		here := block
		if m := restored.FindStringSubmatch(line); m != nil {
			here = m[1]
		}
		t.table, t.block = append(t.table, table), append(t.block, here)
	}
	return t
}

// isRule reports whether the line is a rule, an element or an entry.
func (t *text) isRule(at int) bool {
	line := t.lines[at]
	if restored.MatchString(line) {
		return true
	}
	inChain := strings.HasPrefix(line, "\t\t") && t.block[at] != "" && !strings.HasPrefix(t.block[at], "@")
	return inChain && !strings.HasPrefix(line, "\t\ttype ") || t.isElement(at)
}

// isElement reports whether the line is an element of a set.
func (t *text) isElement(at int) bool {
	return strings.HasPrefix(t.lines[at], "\t\t\t") || strings.HasPrefix(t.lines[at], "add ")
}

// mutate changes one line, or two.
func (t *text) mutate() (Mutant, bool) {
	kind := pick(t.rng, kinds)
	for range tries {
		at := t.rng.IntN(len(t.lines))
		if !t.isRule(at) {
			continue
		}
		if kind.lines != nil {
			if before, after, ok := kind.lines(t, at); ok {
				return Mutant{Kind: kind.name, Before: before, After: after}, true
			}
			continue
		}
		before := t.lines[at]
		if after := kind.line(t, at, before); after != before {
			t.lines[at] = after
			return Mutant{Kind: kind.name, Before: before, After: after}, true
		}
	}
	return Mutant{}, false
}

// kind is a kind of fault: one that changes a line, or one that moves lines.
type kind struct {
	name  string
	line  func(t *text, at int, line string) string
	lines func(t *text, at int) (before, after string, ok bool)
}

// kinds are all kinds of faults in text.
var kinds = []kind{
	{name: "port", line: (*text).port},
	{name: "address", line: (*text).address},
	{name: "prefix", line: (*text).prefix},
	{name: "rule lost", lines: (*text).lost},
	{name: "rules swapped", lines: (*text).swapped},
	{name: "element lost", lines: (*text).elementLost},
	{name: "element added", lines: (*text).added},
	{name: "verdict", line: (*text).verdict},
	{name: "target", line: (*text).target},
	{name: "goto or jump", line: (*text).comesBack},
	{name: "mark", line: (*text).mark},
	{name: "probability", line: (*text).probability},
	{name: "endpoint of another", line: (*text).endpoint},
	{name: "negation", line: (*text).negation},
	{name: "protocol", line: (*text).protocol},
	{name: "state", line: (*text).state},
	{name: "time", line: (*text).time},
	{name: "direction", line: (*text).direction},
}

func (t *text) lost(at int) (before, after string, ok bool) {
	if t.isElement(at) {
		return "", "", false
	}
	before = t.lines[at]
	t.lines = slices.Delete(t.lines, at, at+1)
	return before, "", true
}

func (t *text) elementLost(at int) (before, after string, ok bool) {
	if !t.isElement(at) {
		return "", "", false
	}
	before = t.lines[at]
	t.lines = slices.Delete(t.lines, at, at+1)
	return before, "", true
}

func (t *text) swapped(at int) (before, after string, ok bool) {
	if t.isElement(at) || at+1 == len(t.lines) || !t.isRule(at+1) || t.block[at] != t.block[at+1] || t.lines[at] == t.lines[at+1] {
		return "", "", false
	}
	t.lines[at], t.lines[at+1] = t.lines[at+1], t.lines[at]
	return t.lines[at+1], t.lines[at], true
}

// added adds a line like another one, or twice the same.
func (t *text) added(at int) (before, after string, ok bool) {
	line := t.lines[at]
	changes := []func(*text, int, string) string{(*text).port, (*text).address, (*text).prefix, (*text).protocol, (*text).endpoint}
	after = pick(t.rng, changes)(t, at, line)
	if after == line && t.isElement(at) {
		return "", "", false
	}
	t.lines = slices.Insert(t.lines, at, after)
	return "", after, true
}
