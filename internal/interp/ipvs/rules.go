package ipvs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
)

// ruleset is one family's tables: chains by table and name.
type ruleset map[string]map[string]*chain

type chain struct {
	table, name string
	rules       []rule
}

// rule is what a line of iptables-restore says.
type rule struct {
	text    string
	matches []match
	// act does the target's work. Its verdict ends the hook; a chain is to be
	// run next.
	act     func(*walk) (verdict, *chain)
	goTo    bool
	returns bool
	// pairs is whether the rule asks a set of two addresses and a port.
	pairs bool
}

// match is one condition.
type match struct {
	fits   func(*walk) bool
	negate bool
}

// hooks are the built-in chains of the tables that rules may be in.
var hooks = map[string][]string{
	"mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"nat":    {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"filter": {"INPUT", "FORWARD", "OUTPUT"},
}

// parse reads what iptables-restore --noflush does, in addition to what is
// there already.
func (rs ruleset) parse(text []byte, family ir.Family, sets ipsets) error {
	table := ""
	err := eachLine(text, func(words []string) error {
		first := words[0]
		switch {
		case first[0] == '*' && table == "" && len(words) == 1:
			table = first[1:]
			return rs.open(table)
		case table == "":
			return fmt.Errorf("%q outside of a table", first)
		case first == "COMMIT" && len(words) == 1:
			table = ""
			return nil
		case first[0] == ':':
			return rs.declare(table, words)
		case first == "-A" || first == "-I":
			p := ruleParser{reader: reader{words: words[1:]}, rules: rs, table: table, family: family, sets: sets}
			return p.parse(first == "-I")
		}
		return fmt.Errorf("command %q is not known", first)
	})
	if err == nil && table != "" {
		return fmt.Errorf("table %s has no COMMIT", table)
	}
	return err
}

func (rs ruleset) open(table string) error {
	names, known := hooks[table]
	if !known {
		return fmt.Errorf("table %q is not known", table)
	}
	if rs[table] == nil {
		rs[table] = make(map[string]*chain)
		for _, n := range names {
			rs[table][n] = &chain{table: table, name: n}
		}
	}
	return nil
}

// declare makes a chain, or empties it.
func (rs ruleset) declare(table string, words []string) error {
	name := words[0][1:]
	if len(words) != 3 || words[1] != "-" || words[2] != "[0:0]" || slices.Contains(hooks[table], name) {
		return fmt.Errorf("%q is no declaration of a user's chain", strings.Join(words, " "))
	}
	if name == "" || len(name) > 28 {
		return fmt.Errorf("%q cannot be a chain's name", name)
	}
	if have := rs[table][name]; have != nil {
		have.rules = nil
		return nil
	}
	rs[table][name] = &chain{table: table, name: name}
	return nil
}

// ruleParser reads one rule.
type ruleParser struct {
	reader
	rules  ruleset
	table  string
	family ir.Family
	sets   ipsets
	rule   rule
	// protocol is the one that the rule is about, if it says.
	protocol ir.Protocol
}

func (p *ruleParser) parse(first bool) error {
	p.rule.text = strings.Join(p.words, " ")
	name := p.next()
	c := p.rules[p.table][name]
	if c == nil {
		return fmt.Errorf("chain %q is not declared", name)
	}
	for !p.done() && p.rule.act == nil {
		p.option(name)
	}
	if err := p.end(); err != nil {
		return err
	}
	if p.rule.act == nil {
		return fmt.Errorf("a rule without a target")
	}
	if first {
		c.rules = slices.Insert(c.rules, 0, p.rule)
	} else {
		c.rules = append(c.rules, p.rule)
	}
	return nil
}

// option reads a match or the target.
func (p *ruleParser) option(chain string) {
	negate := p.skip("!")
	switch word := p.next(); word {
	case "-s", "-d":
		p.address(word, negate)
	case "-i":
		p.inputInterface(chain, negate)
	case "-p":
		p.transport(p.next(), negate)
	case "-m":
		if negate {
			p.fail("! before -m")
		}
		p.module(p.next())
	case "-j", "-g":
		if negate {
			p.fail("! before %s", word)
		}
		p.target(p.next(), word == "-g")
	default:
		p.fail("option %q is not known", word)
	}
}

func (p *ruleParser) add(negate bool, fits func(*walk) bool) {
	p.rule.matches = append(p.rule.matches, match{fits: fits, negate: negate})
}
