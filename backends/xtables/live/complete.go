package live

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/internal/text/quoted"
)

// parseFamily reads the two files of a family in an artifact, and refuses what a file
// that was cut, or changed by hand, has or lacks: half of the rules would serve half
// of the Services, and rules of others are not planec's to change.
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

// complete reports what a file for iptables-restore lacks or has too much.
func complete(text []byte) error {
	if text == nil {
		return nil // there is no such file, which the reader of the directory refuses
	}
	if !bytes.HasSuffix(text, []byte("\nCOMMIT\n")) {
		return fmt.Errorf("the file is cut: it does not end with COMMIT")
	}
	return nil
}

// entered reports a chain that packets of a built-in chain are for and that no jump
// leads to, or the other way round.
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

// used reports a set that rules look into and that there is not.
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
