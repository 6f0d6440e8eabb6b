package live

import (
	"bytes"
	"fmt"
	"strings"
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
	out, err := parseTables(file(rules), file(jumps))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rules, err)
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
	number := 0
	for line := range bytes.Lines(text) {
		number++
		l := string(bytes.TrimRight(line, "\n"))
		if strings.HasPrefix(l, "-") && !strings.Contains(l, chainPrefix) {
			return fmt.Errorf("line %d: %q is no rule of planec's chains", number, l)
		}
	}
	return nil
}

// entered reports a chain that packets of a built-in chain are for and that no jump
// leads to, or the other way round.
func (t *table) entered() error {
	leads := make(map[string]bool)
	for j := range t.jumps {
		_, chain, _ := strings.Cut(j, " -j ")
		leads[chain] = true
	}
	for _, builtin := range []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"} {
		chain := chainPrefix + builtin
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
	for _, name := range sortedKeys(t) {
		for _, chain := range sortedKeys(t[name].chains) {
			for _, rule := range t[name].chains[chain] {
				_, rest, found := strings.Cut(rule, " --match-set ")
				if set, _, _ := strings.Cut(rest, " "); found && have[set] == nil {
					return fmt.Errorf("ipset.rules lacks the set %s of the iptables rules' chain %s", set, chain)
				}
			}
		}
	}
	return nil
}
