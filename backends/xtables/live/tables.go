package live

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
)

// chainPrefix starts the names of our chains, and setPrefix those of our sets.
const (
	chainPrefix = "PLC-"
	setPrefix   = "plc-"
	// clientPrefix starts those of sets that rules fill.
	clientPrefix = "plc-af-"
	// asidePrefix starts those that are filled to be swapped in.
	asidePrefix = "plc-tmp-"
)

// tables is what of one family is ours: for each table the chains with their
// rules as iptables-save writes them, and the jumps to them from built-in
// chains. In each they are by name.
type tables map[string]*table

type table struct {
	chains map[string][]string
	// jumps are the rules "-A FORWARD -j PLC-FORWARD", without "-A ".
	jumps map[string]bool
}

// order is that of loading: what forbids comes first.
var order = []string{"mangle", "filter", "nat"}

func (t tables) of(name string) *table {
	if t[name] == nil {
		t[name] = &table{chains: make(map[string][]string), jumps: make(map[string]bool)}
	}
	return t[name]
}

// parseTables reads what iptables-save prints, or a file for iptables-restore.
func parseTables(texts ...[]byte) (tables, error) {
	out := make(tables)
	for _, text := range texts {
		var current *table
		for line := range bytes.Lines(text) {
			l := strings.TrimRight(string(line), " \n")
			var err error
			switch {
			case l == "" || l[0] == '#':
			case l == "COMMIT":
				current = nil
			case l[0] == '*':
				current = out.of(l[1:])
			case current == nil:
				err = fmt.Errorf("%q stands in no table", l)
			case l[0] == ':':
				current.declare(l[1:])
			default:
				err = current.rule(l)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (t *table) declare(l string) {
	name, _, _ := strings.Cut(l, " ")
	if strings.HasPrefix(name, chainPrefix) && t.chains[name] == nil {
		t.chains[name] = []string{}
	}
}

// rule takes a rule of ours, or a jump to one of our chains, and leaves others.
func (t *table) rule(l string) error {
	verb, rest, _ := strings.Cut(l, " ")
	if verb != "-A" && verb != "-I" {
		return fmt.Errorf("%q is no rule", l)
	}
	chain, _, _ := strings.Cut(rest, " ")
	switch {
	case strings.HasPrefix(chain, chainPrefix):
		t.chains[chain] = append(t.chains[chain], l)
	case strings.Contains(rest, " -j "+chainPrefix), strings.Contains(rest, " -g "+chainPrefix):
		t.jumps[rest] = true
	}
	return nil
}

// restore returns what iptables-restore --noflush needs to turn have into want:
// only chains that differ are named. Chains that are gone lose their rules, and
// then themselves. The steps say the same in words.
func restore(have, want tables) (text []byte, steps []string) {
	for _, name := range order {
		b, words := restoreTable(have.of(name), want.of(name))
		if len(words) == 0 {
			continue
		}
		text = append(text, "*"+name+"\n"+b+"COMMIT\n"...)
		for _, w := range words {
			steps = append(steps, name+": "+w)
		}
	}
	return text, steps
}

func restoreTable(have, want *table) (text string, steps []string) {
	var declare, rules, remove strings.Builder
	for _, c := range sortedKeys(want.chains) {
		old, there := have.chains[c]
		if there && slices.Equal(old, want.chains[c]) {
			continue
		}
		declare.WriteString(":" + c + " - [0:0]\n")
		for _, r := range want.chains[c] {
			rules.WriteString(r + "\n")
		}
		steps = append(steps, chainStep(c, there, want.chains[c]))
	}
	for _, j := range sortedKeys(want.jumps) {
		if !have.jumps[j] {
			rules.WriteString("-I " + j + "\n")
			steps = append(steps, "add the jump "+j)
		}
	}
	for _, j := range sortedKeys(have.jumps) {
		if !want.jumps[j] {
			rules.WriteString("-D " + j + "\n")
			steps = append(steps, "remove the jump "+j)
		}
	}
	for _, c := range sortedKeys(have.chains) {
		if _, stays := want.chains[c]; !stays {
			declare.WriteString(":" + c + " - [0:0]\n")
			remove.WriteString("-X " + c + "\n")
			steps = append(steps, "remove chain "+c+named(have.chains[c]))
		}
	}
	return declare.String() + rules.String() + remove.String(), steps
}

func chainStep(chain string, there bool, rules []string) string {
	verb := "add"
	if there {
		verb = "replace"
	}
	return fmt.Sprintf("%s chain %s (%s)%s", verb, chain, backends.Count(len(rules), "rule"), named(rules))
}

// named are the objects that rules or members of sets say they belong to.
func named(lines []string) string {
	var n backends.Named
	for _, l := range lines {
		_, rest, found := strings.Cut(l, `comment "`)
		if name, _, ended := strings.Cut(rest, `"`); found && ended {
			n.Add(name)
		}
	}
	return n.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
