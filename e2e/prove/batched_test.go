package prove

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"

	utilipset "k8s.io/kubernetes/pkg/proxy/ipvs/ipset"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"
)

// batch collects what kube-proxy would start a program for each time, of which there are a
// hundred for a cluster: User Mode Linux starts programs slowly. The programs get it at once,
// before kube-proxy's rules.
type batch struct {
	sets []string
	// entries are those of each set.
	entries map[string][]string
	// tables are those of chains and jumps to them, in the order of their first.
	tables []utiliptables.Table
	lines  map[utiliptables.Table][]string
}

func newBatch() *batch {
	return &batch{entries: make(map[string][]string), lines: make(map[utiliptables.Table][]string)}
}

// batchedSets is ipset for a namespace without sets.
type batchedSets struct {
	utilipset.Interface
	*batch
}

// CreateSet implements kube-proxy's interface, as its own type does. It makes the set valid.
func (s batchedSets) CreateSet(set *utilipset.IPSet, _ bool) error {
	set.HashSize, set.MaxElem, set.PortRange = 1024, 65536, utilipset.DefaultPortRange
	options := fmt.Sprintf("family %s hashsize %d maxelem %d", set.HashFamily, set.HashSize, set.MaxElem)
	if set.SetType == utilipset.BitmapPort {
		options = "range " + set.PortRange
	}
	s.sets = append(s.sets, fmt.Sprintf("create %s %s %s", set.Name, set.SetType, options))
	return set.Validate()
}

// ListEntries returns the entries that were added.
func (s batchedSets) ListEntries(set string) ([]string, error) { return s.entries[set], nil }

// AddEntry adds one.
func (s batchedSets) AddEntry(entry string, set *utilipset.IPSet, _ bool) error {
	s.entries[set.Name] = append(s.entries[set.Name], entry)
	s.sets = append(s.sets, fmt.Sprintf("add %s %s", set.Name, entry))
	return nil
}

// batchedRules is iptables for a namespace without rules.
type batchedRules struct {
	utiliptables.Interface
	*batch
}

// EnsureChain makes a chain.
func (r batchedRules) EnsureChain(table utiliptables.Table, chain utiliptables.Chain) (bool, error) {
	r.line(table, utiliptables.MakeChainLine(chain))
	return false, nil
}

// EnsureRule puts a rule at the beginning of a chain.
func (r batchedRules) EnsureRule(position utiliptables.RulePosition, table utiliptables.Table, chain utiliptables.Chain, args ...string) (bool, error) {
	words := []string{string(position), string(chain)}
	for _, a := range args {
		if strings.Contains(a, " ") {
			a = `"` + a + `"`
		}
		words = append(words, a)
	}
	r.line(table, strings.Join(words, " "))
	return false, nil
}

func (b *batch) line(table utiliptables.Table, line string) {
	if b.lines[table] == nil {
		b.tables = append(b.tables, table)
	}
	b.lines[table] = append(b.lines[table], line)
}

// RestoreAll writes what was collected, and then kube-proxy's rules.
func (r batchedRules) RestoreAll(data []byte, flush utiliptables.FlushFlag, counters utiliptables.RestoreCountersFlag) error {
	cmd := exec.Command("ipset", "restore")
	cmd.Stdin = strings.NewReader(strings.Join(r.sets, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ipset restore: %w: %s", err, out)
	}
	var rules bytes.Buffer
	for _, table := range r.tables {
		fmt.Fprintf(&rules, "*%s\n%s\nCOMMIT\n", table, strings.Join(r.lines[table], "\n"))
	}
	if err := r.Interface.RestoreAll(rules.Bytes(), utiliptables.NoFlushTables, counters); err != nil {
		return err
	}
	r.sets, r.tables, r.lines = nil, nil, make(map[utiliptables.Table][]string)
	return r.Interface.RestoreAll(data, flush, counters)
}
