package nftables

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// sortedElements splits the inside of "elements = { }".
func sortedElements(body string) []string {
	var out []string
	for _, e := range strings.Split(body, ",") {
		// After the last comma there is none.
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, "element "+e)
		}
	}
	slices.Sort(out)
	return out
}

// contents are the elements of every set and the rules of every chain of a text,
// by "table kind name".
func contents(text string) map[string][]string {
	all := make(map[string][]string)
	var table, object string
	inElements := false
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "table":
			table = words[1] + " " + words[2]
		case strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t\t") && len(words) == 3:
			object = table + " " + words[0] + " " + words[1]
			all[object] = []string{}
		case words[0] == "elements":
			inElements = true
		case words[0] == "}":
			inElements = false
		case strings.HasPrefix(line, "\t\t") && (inElements || strings.Contains(object, " chain ")):
			all[object] = append(all[object], strings.TrimSuffix(strings.TrimSpace(line), ","))
		}
	}
	return all
}

// transition writes the transaction that turns one program's rules into
// another's, element by element, as an applier does; it also counts elements.
// Old chains stay: nothing refers to them any more, and chains says which there
// are. A new chain with dnat cannot come this way: to nft 1.0.6 a dnat rule
// without its map in the same file is "conflicting protocols: ip vs. th".
func transition(t testing.TB, chainsIn map[string]bool, from, to *ir.Program, opts backends.Options) (text string, elements int) {
	t.Helper()
	old, now := contents(emit(t, from, opts)), contents(emit(t, to, opts))
	for name := range old {
		chainsIn[name] = true
	}
	var chains, deletes, adds strings.Builder
	for _, name := range slices.Sorted(maps.Keys(now)) {
		f := strings.Fields(name)
		table, kind, object := f[0]+" "+f[1], f[2], f[3]
		if kind == "chain" {
			if !chainsIn[name] {
				chains.WriteString("add chain " + table + " " + object + "\n")
				for _, rule := range now[name] {
					adds.WriteString("add rule " + table + " " + object + " " + rule + "\n")
				}
			}
			continue
		}
		for _, e := range missing(old[name], now[name]) {
			deletes.WriteString("delete element " + table + " " + object + " { " + e + " }\n")
			elements++
		}
		for _, e := range missing(now[name], old[name]) {
			adds.WriteString("add element " + table + " " + object + " { " + e + " }\n")
			elements++
		}
	}
	return chains.String() + deletes.String() + adds.String(), elements
}

// missing returns what a has and b has not.
func missing(a, b []string) []string {
	have := make(map[string]bool, len(b))
	for _, e := range b {
		have[e] = true
	}
	var out []string
	for _, e := range a {
		if !have[e] {
			out = append(out, e)
		}
	}
	return out
}
