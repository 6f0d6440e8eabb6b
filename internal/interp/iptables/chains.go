package iptables

import (
	"fmt"
	"slices"

	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
)

// tables has the chains of one family, by table and name.
type tables map[string]map[string]*chain

type chain struct {
	table, name string
	rules       []*rule
	// kernels is whether the chain is built in.
	kernels bool
}

// rule is one parsed rule.
type rule struct {
	text    string
	matches []match
	target
	// pairs is whether the rule matches a set of pairs.
	pairs bool
}

// kernelChains are the built-in chains of each table.
var kernelChains = map[string][]string{
	"mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"nat":    {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"filter": {"INPUT", "FORWARD", "OUTPUT"},
}

func newTables() tables {
	ts := make(tables, len(kernelChains))
	for table, names := range kernelChains {
		ts[table] = make(map[string]*chain)
		for _, name := range names {
			ts[table][name] = &chain{table: table, name: name, kernels: true}
		}
	}
	return ts
}

// maxName is the maximum length of a chain's name (XT_EXTENSION_MAXNAMELEN - 1), in bytes.
const maxName = 28

// read executes the input of iptables-restore --noflush on top of the existing
// chains.
func (ts tables) read(b []byte, family ir.Family, all sets) error {
	for l, err := range text.Lines(b) {
		switch {
		case err != nil:
		case ts[l.Table] == nil:
			err = fmt.Errorf("table %q is not known", l.Table)
		case l.Policy != "":
			err = declare(ts[l.Table], &l)
		case l.Verb != "":
			err = ts.add(&l, family, all)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", l.Number, err)
		}
	}
	return nil
}

// declare creates a chain, or empties it.
func declare(t map[string]*chain, l *text.Line) error {
	have := t[l.Chain]
	switch {
	case l.Policy != "-" || have != nil && have.kernels:
		return fmt.Errorf("%q changes a chain of the kernel", l.Text)
	case len(l.Chain) > maxName || text.IsTarget(l.Chain):
		return fmt.Errorf("%q cannot be a chain's name", l.Chain)
	case have != nil:
		have.rules = nil
	default:
		t[l.Chain] = &chain{table: l.Table, name: l.Chain}
	}
	return nil
}

// add adds a rule at the end or the start of its chain.
func (ts tables) add(l *text.Line, family ir.Family, all sets) error {
	c := ts[l.Table][l.Chain]
	if c == nil || l.Verb == "-D" {
		return fmt.Errorf("%q: there is no such chain, or it is removed from", l.Text)
	}
	words, err := l.Words()
	if err != nil {
		return err
	}
	parsed, err := text.ParseRule(words)
	if err != nil {
		return err
	}
	compile := compiler{family: family, sets: all, in: c, chains: ts[l.Table], rule: &rule{text: l.Text}}
	if err := compile.run(&parsed); err != nil {
		return err
	}
	if l.Verb == "-I" {
		c.rules = slices.Insert(c.rules, 0, compile.rule)
	} else {
		c.rules = append(c.rules, compile.rule)
	}
	return nil
}

// check rejects what the kernel rejects when rules are loaded: loops of chains,
// and targets that are not allowed in a hook that leads to them.
func (ts tables) check() error {
	for table, names := range kernelChains {
		for _, hook := range names {
			c := checker{hook: hook, seen: make(map[*chain]bool)}
			if err := c.visit(ts[table][hook]); err != nil {
				return fmt.Errorf("table %s, from %s: %w", table, hook, err)
			}
		}
	}
	return nil
}

// checker walks the chains that are reachable from a hook.
type checker struct {
	hook string
	// seen has the visited chains; those on the current path are true.
	seen map[*chain]bool
}

func (k *checker) visit(c *chain) error {
	if inside, seen := k.seen[c]; seen {
		if inside {
			return fmt.Errorf("chain %s leads to itself", c.name)
		}
		return nil
	}
	k.seen[c] = true
	for _, r := range c.rules {
		if r.hooks != nil && !slices.Contains(r.hooks, k.hook) {
			return fmt.Errorf("%q: the target is for %v", r.text, r.hooks)
		}
		if r.leads != nil {
			if err := k.visit(r.leads); err != nil {
				return err
			}
		}
	}
	k.seen[c] = false
	return nil
}
