package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/internal/text/quoted"
)

// ours reports whether a chain belongs to planec.
func ours(chain string) bool { return xtables.ChainRole(chain) != xtables.Foreign }

// tables are planec's chains and jumps in one family, by table. Rules are in the
// notation of iptables-save; jumps are the rules of built-in chains that lead to
// planec's chains.
type tables map[string]*table

type table struct {
	chains map[string][]string
	// jumps are the rules "-A FORWARD -j PLC-FORWARD", without "-A ".
	jumps map[string]bool
}

// order is the load order.
var order = xtables.Tables()

func (t tables) of(name string) *table {
	if t[name] == nil {
		t[name] = &table{chains: make(map[string][]string), jumps: make(map[string]bool)}
	}
	return t[name]
}

// parseTables reads output of iptables-save, or a file for iptables-restore. It
// skips foreign rules; in an artifact they are an error.
func parseTables(ofArtifact bool, texts ...[]byte) (tables, error) {
	out := make(tables)
	for _, text := range texts {
		for l, err := range iptables.Lines(text) {
			if err != nil {
				return nil, err
			}
			switch t := out.of(l.Table); {
			case l.Policy != "":
				t.declare(l.Chain)
			case l.Verb != "" && !t.rule(&l) && ofArtifact:
				return nil, fmt.Errorf("line %d: %q is no rule of planec's chains", l.Number, l.Text)
			}
		}
	}
	return out, nil
}

func (t *table) declare(name string) {
	if ours(name) && t.chains[name] == nil {
		t.chains[name] = []string{}
	}
}

// rule adds a rule of planec's chains, or a jump to them. It reports false for any
// other rule.
func (t *table) rule(l *iptables.Line) bool {
	switch {
	case l.Verb == "-D":
		return false
	case ours(l.Chain):
		t.chains[l.Chain] = append(t.chains[l.Chain], iptables.NumericProtocol(l.Text))
		return true
	case !strings.Contains(l.Spec, xtables.ChainPrefix):
		return false
	}
	words, err := l.Words()
	if err != nil || !ours(iptables.Leads(words)) {
		return false
	}
	t.jumps[l.Chain+" "+l.Spec] = true
	return true
}

// restore returns the input of iptables-restore --noflush that turns have into
// want, and describes it in steps. It names only chains that differ. Removed
// chains are emptied first and then deleted.
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
			steps = append(steps, "remove chain "+c+namedBy(have.chains[c]))
		}
	}
	return declare.String() + rules.String() + remove.String(), steps
}

func chainStep(chain string, there bool, rules []string) string {
	verb := "add"
	if there {
		verb = "replace"
	}
	return fmt.Sprintf("%s chain %s (%s)%s", verb, chain, backends.Count(len(rules), "rule"), namedBy(rules))
}

// namedBy returns the objects that the comments of rules name.
func namedBy(rules []string) string {
	var n backends.Named
	var words []string
	for _, r := range rules {
		if !strings.Contains(r, `--comment "`) {
			continue
		}
		var err error
		if words, err = quoted.Append(words[:0], r, quoted.Escaped); err == nil {
			name, _ := iptables.Value(words, "--comment")
			n.Add(name)
		}
	}
	return n.String()
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
