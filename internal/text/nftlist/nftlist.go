package nftlist

import (
	"fmt"
	"slices"
)

// Table is one table.
type Table struct {
	// Line is where it begins, from 1.
	Line int
	// Family is "ip", "ip6", "inet" or another one of nft's.
	Family, Name string
	Sets         []*Set
	Chains       []*Chain
}

// Set is a set or a map.
type Set struct {
	Line int
	Name string
	Map  bool
	// Type and Data are the names of the types of an element's key, and those of a
	// map's data.
	Type, Data []string
	// Flags are those of the listing: "interval", "dynamic", "timeout", "constant".
	Flags []string
	// Timeout is as the text spells it, such as "3h"; "" is none.
	Timeout  string
	Elements []Element
}

// Has reports whether the set has a flag.
func (s *Set) Has(flag string) bool { return slices.Contains(s.Flags, flag) }

// Element is an element of a set, or of a set that a rule has in braces.
type Element struct {
	Line int
	// Key are the parts of the key, without the dots.
	Key []string
	// Data are the words after the colon.
	Data []string
}

// Chain is a chain.
type Chain struct {
	Line int
	Name string
	// Base is how the kernel calls it, nil if only rules do.
	Base  *Base
	Rules []Rule
}

// Base is what a base chain declares.
type Base struct {
	Type, Hook string
	// Priority are the words of the priority, such as "dstnat - 10".
	Priority []string
	Policy   string
}

// Rule is a rule.
type Rule struct {
	Line int
	// Words are those of the rule: quoted texts with their quotes; braces, commas and
	// semicolons alone.
	Words []string
}

// Parse reads a text. An error names its line.
func Parse(text []byte) ([]*Table, error) {
	p := &parser{}
	if err := p.split(text); err != nil {
		return nil, err
	}
	var out []*Table
	for p.skipLines(); !p.done(); p.skipLines() {
		t, err := p.table()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (p *parser) table() (*Table, error) {
	t := &Table{Line: p.line()}
	if p.next() != "table" {
		return nil, p.errorf("no table: is this the output of nft list ruleset?")
	}
	t.Family, t.Name = p.next(), p.next()
	if p.next() != "{" {
		return nil, p.errorf("want { after the name of a table")
	}
	for {
		p.skipLines()
		var err error
		switch word := p.next(); word {
		case "}":
			return t, nil
		case "comment", "flags":
			p.restOfLine()
		case "set", "map":
			err = p.set(t, word == "map")
		case "chain":
			err = p.chain(t)
		case "counter", "quota", "limit", "flowtable", "secmark", "synproxy":
			for p.peek() != "{" && !p.done() {
				p.next()
			}
			_, err = p.braces()
		default:
			err = p.errorf("%q in a table is not known", word)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) set(t *Table, isMap bool) error {
	s := &Set{Line: p.line(), Map: isMap, Name: p.next()}
	if p.next() != "{" {
		return p.errorf("want { after the name of a set")
	}
	for {
		p.skipLines()
		switch word := p.next(); word {
		case "}":
			t.Sets = append(t.Sets, s)
			return nil
		case "type":
			key, data, _ := cut(p.restOfLine(), ":")
			s.Type, s.Data = without(key, "."), without(data, ".")
		case "flags":
			s.Flags = without(p.restOfLine(), ",")
		case "timeout":
			s.Timeout = p.next()
		case "comment", "size", "policy", "auto-merge", "gc-interval":
			p.restOfLine()
		case "elements":
			if p.next() != "=" {
				return p.errorf("want = after elements")
			}
			inside, err := p.braces()
			if err != nil {
				return err
			}
			if s.Elements, err = elements(inside); err != nil {
				return err
			}
		default:
			return p.errorf("%q in a set is not known", word)
		}
	}
}

func (p *parser) chain(t *Table) error {
	c := &Chain{Line: p.line(), Name: p.next()}
	if p.next() != "{" {
		return p.errorf("want { after the name of a chain")
	}
	for {
		p.skipLines()
		line := p.line()
		switch p.peek() {
		case "}":
			p.next()
			t.Chains = append(t.Chains, c)
			return nil
		case "comment":
			p.restOfLine()
			continue
		case "type":
			if err := p.base(c); err != nil {
				return err
			}
			continue
		}
		if p.done() {
			return p.errorf("a chain does not end")
		}
		c.Rules = append(c.Rules, Rule{line, p.restOfLine()})
	}
}

// base reads "type T hook H priority P; policy A;".
func (p *parser) base(c *Chain) error {
	words := p.restOfLine()
	b := &Base{Policy: "accept"}
	for len(words) > 0 {
		var part []string
		part, words, _ = cut(words, ";")
		switch {
		case len(part) > 5 && part[0] == "type" && part[2] == "hook" && part[4] == "priority":
			b.Type, b.Hook, b.Priority = part[1], part[3], part[5:]
		case len(part) == 2 && part[0] == "policy":
			b.Policy = part[1]
		default:
			return p.errorf("%q in a base chain is not known", part)
		}
	}
	c.Base = b
	return nil
}

// cut cuts words at the first separator that stands outside of braces.
func cut(words []string, separator string) (before, after []string, found bool) {
	depth := 0
	for i, w := range words {
		switch {
		case w == "{":
			depth++
		case w == "}":
			depth--
		case w == separator && depth == 0:
			return words[:i], words[i+1:], true
		}
	}
	return words, nil, false
}

func without(words []string, separator string) (out []string) {
	for _, w := range words {
		if w != separator {
			out = append(out, w)
		}
	}
	return out
}

// Elements reads the words between the braces of a rule.
func Elements(line int, words []string) ([]Element, error) {
	list := make([]word, len(words))
	for i, w := range words {
		list[i] = word{w, line}
	}
	return elements(list)
}

func elements(words []word) (out []Element, err error) {
	for len(words) > 0 {
		end := slices.IndexFunc(words, func(w word) bool { return w.text == "," })
		if end < 0 {
			end = len(words)
		}
		e, err := element(words[:end])
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		words = words[min(end+1, len(words)):]
	}
	return out, nil
}

// element reads "KEY . KEY [comment TEXT] [expires T] [: DATA]".
func element(words []word) (Element, error) {
	if len(words) == 0 {
		return Element{}, fmt.Errorf("an element is empty")
	}
	e := Element{Line: words[0].line}
	for i := 0; i < len(words); i++ {
		switch w := words[i].text; w {
		case ".":
		case "comment", "timeout", "expires":
			i++
		case "counter":
			i += 4 // packets N bytes N
		case ":":
			for _, w := range words[i+1:] {
				e.Data = append(e.Data, w.text)
			}
			i = len(words)
		default:
			if i > 0 && words[i-1].text != "." {
				return e, fmt.Errorf("line %d: %q in an element is not known", e.Line, w)
			}
			e.Key = append(e.Key, w)
		}
	}
	return e, nil
}
