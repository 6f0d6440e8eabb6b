package iptables

import (
	"fmt"
	"strings"
)

// Ruleset is the parsed text of one family: chains by table.
type Ruleset struct {
	tables map[string]map[string]*chain
}

type chain struct {
	name  string
	rules []*rule
}

type rule struct {
	text    string
	matches []match
	target  target
}

// builtIn are the chains that every table begins with.
var builtIn = map[string][]string{
	"raw":    {"PREROUTING", "OUTPUT"},
	"mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"nat":    {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"filter": {"INPUT", "FORWARD", "OUTPUT"},
}

// Parse reads the texts of iptables-restore, one after the other, as they would
// be loaded with --noflush into empty tables.
func Parse(sets Sets, texts ...[]byte) (*Ruleset, error) {
	p := parser{sets: sets, ruleset: &Ruleset{tables: make(map[string]map[string]*chain)}}
	for name, chains := range builtIn {
		p.ruleset.tables[name] = make(map[string]*chain)
		for _, c := range chains {
			p.ruleset.tables[name][c] = &chain{name: c}
		}
	}
	for _, text := range texts {
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if err := p.line(strings.TrimSpace(line)); err != nil {
				return nil, fmt.Errorf("iptables rules, line %d: %w", number, err)
			}
		}
	}
	return p.ruleset, p.finish()
}

// parser is the place in the text.
type parser struct {
	sets    Sets
	ruleset *Ruleset
	table   map[string]*chain
}

func (p *parser) line(text string) error {
	switch {
	case text == "" || text[0] == '#':
		return nil
	case text == "COMMIT":
		p.table = nil
		return nil
	case text[0] == '*':
		p.table = p.ruleset.tables[text[1:]]
		if p.table == nil {
			return fmt.Errorf("no table %q", text[1:])
		}
		return nil
	case p.table == nil:
		return fmt.Errorf("outside a table")
	case text[0] == ':':
		return p.declare(text[1:])
	}
	words, err := splitWords(text)
	if err != nil {
		return err
	}
	return p.command(text, &reader{list: words})
}

// declare reads ":CHAIN POLICY [counters]": a chain of ours is made, or emptied.
func (p *parser) declare(text string) error {
	words := strings.Fields(text)
	if len(words) < 2 {
		return fmt.Errorf("a chain without a policy")
	}
	if words[1] == "-" {
		p.table[words[0]] = &chain{name: words[0]}
	} else if p.table[words[0]] == nil {
		return fmt.Errorf("no built-in chain %s", words[0])
	}
	return nil
}

func (p *parser) command(text string, r *reader) error {
	verb, name := r.next(), r.next()
	c := p.table[name]
	if c == nil {
		return fmt.Errorf("no chain %q", name)
	}
	switch verb {
	case "-A", "-I":
		parsed := p.parseRule(r)
		parsed.text = text
		if verb == "-A" {
			c.rules = append(c.rules, parsed)
		} else {
			c.rules = append([]*rule{parsed}, c.rules...)
		}
	case "-F":
		c.rules = nil
	case "-X":
		delete(p.table, name)
	case "-D":
		return p.remove(c, text)
	default:
		return fmt.Errorf("unknown command %s", verb)
	}
	return r.err
}

// remove deletes the first rule that is written the same.
func (p *parser) remove(c *chain, text string) error {
	_, spec, _ := strings.Cut(strings.TrimPrefix(text, "-D "), " ")
	for i, have := range c.rules {
		if _, s, _ := strings.Cut(have.text[3:], " "); s == spec {
			c.rules = append(c.rules[:i:i], c.rules[i+1:]...)
			return nil
		}
	}
	return fmt.Errorf("no such rule to delete")
}

// finish checks that every chain named exists.
func (p *parser) finish() error {
	for table, chains := range p.ruleset.tables {
		for _, c := range chains {
			for _, r := range c.rules {
				if t := r.target; t.chain != "" && chains[t.chain] == nil {
					return fmt.Errorf("iptables rules, table %s, chain %s: no target %q", table, c.name, t.chain)
				}
			}
		}
	}
	return nil
}
