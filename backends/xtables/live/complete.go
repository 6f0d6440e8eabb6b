package live

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/internal/text/quoted"
)

// parseFamily reads the two files of a family and rejects incomplete or edited
// files: half of the rules would serve half of the Services, and planec must not
// change foreign rules.
func parseFamily(prefix string, file func(string) []byte) (tables, error) {
	rules, jumps := prefix+".rules", prefix+"-jumps.rules"
	for _, name := range []string{rules, jumps} {
		if err := complete(file(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	out, err := parseTables(true, file(rules))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rules, err)
	}
	leads, err := parseTables(true, file(jumps))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", jumps, err)
	}
	for name, t := range leads {
		out.of(name).jumps = t.jumps
	}
	for _, name := range sortedKeys(out) {
		if err := out[name].entered(); err != nil {
			return nil, fmt.Errorf("%s: table %s: %w", jumps, name, err)
		}
	}
	return out, nil
}

// complete rejects an iptables-restore file without its last line.
func complete(text []byte) error {
	if text == nil {
		return nil // the directory reader reports the missing file
	}
	if !bytes.HasSuffix(text, []byte("\nCOMMIT\n")) {
		return fmt.Errorf("the file is cut: it does not end with COMMIT")
	}
	return nil
}

// entered rejects a table with an entry chain that no jump leads to, or with a
// jump to a missing entry chain.
func (t *table) entered() error {
	leads := make(map[string]bool)
	for j := range t.jumps {
		if words, err := quoted.Split(j, quoted.Escaped); err == nil {
			leads[iptables.Leads(words)] = true
		}
	}
	for _, builtin := range xtables.BuiltIn() {
		chain := xtables.EntryOf(builtin)
		_, there := t.chains[chain]
		switch {
		case there && !leads[chain]:
			return fmt.Errorf("no jump leads to chain %s", chain)
		case !there && leads[chain]:
			return fmt.Errorf("a jump leads to chain %s, which the rules do not have", chain)
		}
	}
	return nil
}

// used rejects a rule that matches a missing set.
func (t tables) used(have sets) error {
	var words []string
	for _, name := range sortedKeys(t) {
		for _, chain := range sortedKeys(t[name].chains) {
			for _, rule := range t[name].chains[chain] {
				if !strings.Contains(rule, "-set ") {
					continue
				}
				var err error
				if words, err = quoted.Append(words[:0], rule, quoted.Escaped); err != nil {
					return fmt.Errorf("%q: %w", rule, err)
				}
				for _, set := range iptables.Sets(words) {
					if have[set] == nil {
						return fmt.Errorf("ipset.rules lacks the set %s of the iptables rules' chain %s", set, chain)
					}
				}
			}
		}
	}
	return nil
}
