package nftables

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// Ruleset is the parsed text, with at most one table per family.
type Ruleset struct {
	tables map[ir.Family]*table
}

type table struct {
	sets   map[string]*set
	chains map[string]*chain
	// hooks has the base chains of each hook, sorted by priority.
	hooks map[string][]*chain
}

type chain struct {
	name     string
	nat      bool
	hook     string
	priority int
	rules    []rule
}

type rule struct {
	text       string
	statements []statement
}

// maxLine is the maximum length of a line: the longest possible list has every second port.
const maxLine = 1 << 18

// Parse parses rules. Unknown text is an error that names the line.
func Parse(text []byte) (*Ruleset, error) {
	p := parser{ruleset: &Ruleset{tables: make(map[ir.Family]*table)}}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("nftables rules, line %d: %w", number, err)
		}
	}
	if p.table != nil {
		return nil, fmt.Errorf("nftables rules: the text ends inside a table")
	}
	for f, t := range p.ruleset.tables {
		if err := t.finish(); err != nil {
			return nil, fmt.Errorf("nftables rules, %v table: %w", f, err)
		}
	}
	return p.ruleset, nil
}

// parser is the current position in the text.
type parser struct {
	ruleset  *Ruleset
	table    *table
	set      *set
	chain    *chain
	elements bool
}

func (p *parser) line(text string) error {
	if len(text) > maxLine {
		return fmt.Errorf("longer than %d bytes", maxLine)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil
	case p.table == nil:
		return p.outside(text)
	case p.elements:
		return p.element(text)
	case p.set != nil:
		return p.inSet(text)
	case p.chain != nil:
		return p.inChain(text)
	}
	return p.inTable(text)
}

// outside parses the lines between tables.
func (p *parser) outside(text string) error {
	for f, word := range map[ir.Family]string{ir.IPv4: "ip", ir.IPv6: "ip6"} {
		switch text {
		case "add table " + word + " planec":
			return nil
		case "delete table " + word + " planec":
			delete(p.ruleset.tables, f)
			return nil
		case "table " + word + " planec {":
			p.table = &table{sets: make(map[string]*set), chains: make(map[string]*chain), hooks: make(map[string][]*chain)}
			p.ruleset.tables[f] = p.table
			return nil
		}
	}
	return fmt.Errorf("unknown command")
}

func (p *parser) inTable(text string) error {
	words := strings.Fields(text)
	switch {
	case text == "}":
		p.table = nil
	case len(words) == 3 && words[2] == "{" && (words[0] == "set" || words[0] == "map"):
		p.set = newSet(words[1])
		if p.table.sets[words[1]] != nil {
			return fmt.Errorf("a second %s", words[1])
		}
		p.table.sets[words[1]] = p.set
	case len(words) == 3 && words[2] == "{" && words[0] == "chain":
		p.chain = &chain{name: words[1]}
		if p.table.chains[words[1]] != nil {
			return fmt.Errorf("a second chain %s", words[1])
		}
		p.table.chains[words[1]] = p.chain
	default:
		return fmt.Errorf("unknown item of a table")
	}
	return nil
}

func (p *parser) inSet(text string) error {
	switch {
	case text == "}":
		p.set = nil
	case text == "elements = {":
		p.elements = true
	case strings.HasPrefix(text, "type"):
		list, err := tokens(text)
		if err != nil {
			return err
		}
		return p.set.declaration(&stream{list: list})
	case text == "flags interval":
		p.set.interval = true
	case text == "flags dynamic,timeout":
		p.set.dynamic = true
	case strings.HasPrefix(text, "size "):
	default:
		return fmt.Errorf("unknown fact of a set")
	}
	return nil
}

func (p *parser) element(text string) error {
	if text == "}" {
		p.elements = false
		return nil
	}
	return p.set.add(strings.TrimSuffix(text, ","))
}

func (p *parser) inChain(text string) error {
	if text == "}" {
		p.chain = nil
		return nil
	}
	if strings.HasPrefix(text, "type ") {
		return p.chain.base(text)
	}
	list, err := tokens(text)
	if err != nil {
		return err
	}
	statements, err := p.table.parseRule(&stream{list: list})
	p.chain.rules = append(p.chain.rules, rule{text, statements})
	return err
}

// base parses "type T hook H priority P; policy accept;".
func (c *chain) base(text string) error {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(text, "type "), " hook ")
	hook, rest, ok2 := strings.Cut(rest, " priority ")
	prio, rest, ok3 := strings.Cut(rest, ";")
	if !ok || !ok2 || !ok3 || strings.TrimSpace(rest) != "policy accept;" || (kind != "nat" && kind != "filter") {
		return fmt.Errorf("unknown base chain")
	}
	c.nat, c.hook = kind == "nat", hook
	var err error
	c.priority, err = hookPriority(prio)
	return err
}

// hookPriority parses a priority: a name, a number, or both
// (include/uapi/linux/netfilter_ipv4.h).
func hookPriority(s string) (int, error) {
	names := map[string]int{"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
	words := strings.Fields(s)
	if len(words) == 0 {
		return 0, fmt.Errorf("no priority")
	}
	base, named := names[words[0]]
	switch {
	case named && len(words) == 1:
		return base, nil
	case named && len(words) == 3 && (words[1] == "-" || words[1] == "+"):
		n, err := strconv.Atoi(words[1] + words[2])
		return base + n, err
	case len(words) == 1:
		return strconv.Atoi(s)
	}
	return 0, fmt.Errorf("priority %q", s)
}

func (t *table) setNamed(reference string, key []field) (*set, error) {
	name, ok := strings.CutPrefix(reference, "@")
	s := t.sets[name]
	if !ok || s == nil {
		return nil, fmt.Errorf("no set %q before this rule", reference)
	}
	same := len(s.keys) == len(key)
	for i := range key {
		same = same && s.keys[i] == key[i].kind
	}
	if !same {
		return nil, fmt.Errorf("the key is not of the type of %s", reference)
	}
	return s, nil
}

// finish sorts the base chains and checks that every named chain exists.
func (t *table) finish() error {
	for _, c := range t.chains {
		if c.hook != "" {
			t.hooks[c.hook] = append(t.hooks[c.hook], c)
		}
		for _, r := range c.rules {
			for _, s := range r.statements {
				if d, ok := s.(decide); ok && d.verdict.chain != "" && t.chains[d.verdict.chain] == nil {
					return fmt.Errorf("chain %s: no chain %q", c.name, d.verdict.chain)
				}
			}
		}
	}
	for _, list := range t.hooks {
		slices.SortFunc(list, func(a, b *chain) int { return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.name, b.name)) })
	}
	for _, s := range t.sets {
		if err := s.finish(); err != nil {
			return err
		}
		for e := range s.elements() {
			if e.verdict.chain != "" && t.chains[e.verdict.chain] == nil {
				return fmt.Errorf("map %s: no chain %q", s.name, e.verdict.chain)
			}
		}
	}
	return nil
}
