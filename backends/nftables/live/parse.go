package live

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
)

// Parse reads what the nftables backend emits. Whatever else is in a text is an
// error that names the line.
func Parse(text []byte) (*Model, error) {
	return parseText(text, maphash.MakeSeed(), nil)
}

// parseText is Parse; where held is given, sets whose elements have the same text
// as one of its sets are not read but shared with it.
func parseText(text []byte, seed maphash.Seed, held *Model) (*Model, error) {
	p := parser{model: &Model{seed: seed}, held: held, text: text}
	for len(p.text) > 0 {
		if err := p.line(p.next()); err != nil {
			return nil, fmt.Errorf("nftables rules, line %d: %w", p.number, err)
		}
	}
	if p.table != nil {
		return nil, fmt.Errorf("nftables rules: the text ends inside a table")
	}
	if p.resets != len(resetLines) {
		return nil, fmt.Errorf("nftables rules: they do not begin by removing older tables")
	}
	return p.model, nil
}

// parser is the place in the text.
type parser struct {
	model, held *Model
	// text is what is left, and number the line before it.
	text   []byte
	number int
	// resets counts the lines that remove older tables.
	resets int
	table  *Table
	set    *Set
	chain  *Chain
	// rules are the table's rules by their text: many chains have the same ones.
	rules map[string]*Rule
	// otherSets is whether a set of the table is declared otherwise than it is held.
	otherSets bool
	reader    elementReader
}

// resetLines begin every artifact.
var resetLines = [...]string{
	"add table ip planec", "delete table ip planec", "add table ip6 planec", "delete table ip6 planec",
}

// next takes a line.
func (p *parser) next() []byte {
	p.number++
	line := p.text
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line, p.text = line[:i], line[i+1:]
	} else {
		p.text = nil
	}
	return line
}

func (p *parser) line(line []byte) error {
	text := string(bytes.TrimLeft(line, "\t"))
	switch {
	case text == "":
		return nil
	case p.table == nil:
		return p.outside(text)
	case p.set != nil:
		return p.inSet(text)
	case p.chain != nil:
		return p.inChain(text)
	}
	return p.inTable(text)
}

// elements reads the lines of a set's elements, with the one that ends them.
func (p *parser) elements() error {
	s := p.set
	n := bytes.Index(p.text, []byte("\n\t\t}\n"))
	if n < 0 {
		return fmt.Errorf("elements that do not end")
	}
	section := p.text[:n+1]
	count := bytes.Count(section, []byte{'\n'})
	s.sum = sumLines(p.model.seed, section)
	if h := p.heldSet(s); h != nil && h.sum == s.sum && h.Elems.n == count {
		s.Elems = h.Elems
		p.text, p.number = p.text[n+1:], p.number+count
		p.next()
		return nil
	}
	// A record is shorter than its line, but for IPv6.
	s.Elems.blob = make([]byte, 0, len(section)/4*3)
	for range count {
		if err := p.reader.element(s, element(p.next())); err != nil {
			return err
		}
	}
	p.next()
	return nil
}

// heldSet is the set of the same name and declaration, if any.
func (p *parser) heldSet(s *Set) *Set {
	if p.held == nil {
		return nil
	}
	if t := p.held.Table(p.table.Family); t != nil {
		if h := t.sets[s.Name]; h != nil && h.sameSpec(s) {
			return h
		}
	}
	return nil
}

// element cuts what is around an element on its line.
func element(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimLeft(line, "\t"), []byte{','})
}

// sumLines adds up hashes of lines: elements in another order have the same sum,
// and that of some can be taken away again.
func sumLines(seed maphash.Seed, section []byte) (sum uint64) {
	for len(section) > 0 {
		i := bytes.IndexByte(section, '\n')
		sum += maphash.Bytes(seed, element(section[:i]))
		section = section[i+1:]
	}
	return sum
}

// outside reads what stands around tables.
func (p *parser) outside(text string) error {
	if p.resets < len(resetLines) {
		if text != resetLines[p.resets] {
			return fmt.Errorf("want %q", resetLines[p.resets])
		}
		p.resets++
		return nil
	}
	for _, f := range []Family{IPv4, IPv6} {
		if text == "table "+f.String()+" "+tableNamed+" {" {
			if n := len(p.model.Tables); n > 0 && p.model.Tables[n-1].Family >= f {
				return fmt.Errorf("a second table, or not in order")
			}
			p.table, p.rules = newTable(f), make(map[string]*Rule)
			p.model.Tables = append(p.model.Tables, p.table)
			return nil
		}
	}
	return fmt.Errorf("unknown command %q", text)
}

func (p *parser) inTable(text string) error {
	words := strings.Fields(text)
	if text == "}" {
		t := p.table
		p.table = nil
		return t.finish()
	}
	if len(words) != 3 || words[2] != "{" || !validName(words[1]) {
		return fmt.Errorf("unknown item of a table: %q", text)
	}
	name := words[1]
	switch words[0] {
	case "set", "map":
		if p.table.sets[name] != nil {
			return fmt.Errorf("a second %s", name)
		}
		p.set = &Set{Name: name}
		if words[0] == "map" {
			p.set.Flags = setMap
		}
	case "chain":
		if p.table.chains[name] != nil {
			return fmt.Errorf("a second chain %s", name)
		}
		p.startChain(name)
	default:
		return fmt.Errorf("unknown item of a table: %q", text)
	}
	return nil
}

func (p *parser) inSet(text string) error {
	s := p.set
	switch {
	case text == "}":
		return p.endSet()
	case text == "elements = {":
		if s.Dynamic() || s.KeyLen != 0 {
			return fmt.Errorf("elements of a dynamic set, or twice")
		}
		if err := s.declared(); err != nil {
			return err
		}
		return p.elements()
	case s.KeyLen != 0:
		return fmt.Errorf("%q after the elements", text)
	case strings.HasPrefix(text, "type") && s.key == nil:
		line, err := newStream(text)
		if err != nil {
			return err
		}
		return s.declaration(line)
	case text == "flags interval":
		s.Flags |= setInterval
	case text == "flags dynamic,timeout":
		s.Flags |= setEval | setTimeouts
	case strings.HasPrefix(text, "size "):
		n, err := strconv.ParseUint(text[len("size "):], 10, 32)
		s.Size = uint32(n)
		return err
	default:
		return fmt.Errorf("unknown fact of a set: %q", text)
	}
	return nil
}

// endSet makes the set's elements findable.
func (p *parser) endSet() error {
	s := p.set
	p.set = nil
	if s.KeyLen == 0 {
		if err := s.declared(); err != nil {
			return err
		}
	}
	if s.Elems.slots != nil {
		// Shared, and findable already.
	} else if twice := s.Elems.index(); twice != nil {
		return fmt.Errorf("set %s has an element twice, key %x", s.Name, twice)
	}
	p.table.addSet(s)
	return nil
}

// startChain begins a chain; one with the text of a held chain is not read again.
func (p *parser) startChain(name string) {
	c := &Chain{Name: name}
	n := bytes.Index(p.text, []byte("\t}\n"))
	if n < 0 {
		n = len(p.text)
	}
	c.sum = maphash.Bytes(p.model.seed, p.text[:n])
	if h := p.heldChain(name); h != nil && h.sum == c.sum {
		*c = *h
		p.text, p.number = p.text[n:], p.number+bytes.Count(p.text[:n], []byte{'\n'})
	}
	p.chain = c
	p.table.addChain(c)
}

// heldChain is the chain of the same name in a held table whose sets are declared
// as those of this one, if any: what a rule is made into depends on its sets.
func (p *parser) heldChain(name string) *Chain {
	if p.held == nil {
		return nil
	}
	t := p.held.Table(p.table.Family)
	if t == nil {
		return nil
	}
	if len(p.table.Chains) == 0 {
		p.otherSets = slices.ContainsFunc(p.table.Sets, func(s *Set) bool {
			h := t.sets[s.Name]
			return h != nil && !h.sameSpec(s)
		})
	}
	if p.otherSets {
		return nil
	}
	return t.chains[name]
}

func (p *parser) inChain(text string) error {
	if text == "}" {
		p.chain = nil
		return nil
	}
	if strings.HasPrefix(text, "type ") {
		return p.chain.parseBase(text)
	}
	r := p.rules[text]
	if r == nil {
		var err error
		if r, err = p.table.compile(text); err != nil {
			return fmt.Errorf("rule %q: %w", text, err)
		}
		p.rules[text] = r
	}
	// A rule is its chain's own; what it consists of is not written to any more.
	own := *r
	p.chain.Rules = append(p.chain.Rules, &own)
	return nil
}

// Hooks are enum nf_inet_hooks.
var hooks = map[string]uint32{"prerouting": 0, "input": 1, "forward": 2, "output": 3, "postrouting": 4}

// parseBase reads "type T hook H priority P; policy accept;".
func (c *Chain) parseBase(text string) error {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(text, "type "), " hook ")
	hook, rest, ok2 := strings.Cut(rest, " priority ")
	prio, rest, ok3 := strings.Cut(rest, ";")
	number, ok4 := hooks[hook]
	if !ok || !ok2 || !ok3 || !ok4 || rest != " policy accept;" || (kind != "nat" && kind != "filter") || len(c.Rules) > 0 || c.Base() {
		return fmt.Errorf("unknown base chain %q", text)
	}
	c.Type, c.Hook, c.Policy = kind, number, verdictAccept
	var err error
	c.Priority, err = hookPriority(prio)
	return err
}

// priorities are enum nf_ip_hook_priorities.
var priorities = map[string]int32{"dstnat": -100, "filter": 0, "srcnat": 100}

// hookPriority reads a priority by name, by number, or "name - number".
func hookPriority(s string) (int32, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return 0, fmt.Errorf("no priority")
	}
	base, named := priorities[words[0]]
	switch {
	case named && len(words) == 1:
		return base, nil
	case named && len(words) == 3 && (words[1] == "-" || words[1] == "+"):
		n, err := strconv.ParseInt(words[1]+words[2], 10, 16)
		return base + int32(n), err
	case len(words) == 1:
		n, err := strconv.ParseInt(s, 10, 32)
		return int32(n), err
	}
	return 0, fmt.Errorf("priority %q", s)
}

// finish checks that every chain that is named exists.
func (t *Table) finish() error {
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if r.to != "" && t.chains[r.to] == nil {
				return fmt.Errorf("chain %s: no chain %q", c.Name, r.to)
			}
		}
	}
	for _, s := range t.Sets {
		if !s.verdicts() {
			continue
		}
		for _, e := range s.Elems.all() {
			if to := chainOf(e.data); len(to) > 0 && t.chains[string(to)] == nil {
				return fmt.Errorf("map %s: no chain %q", s.Name, to)
			}
		}
	}
	return nil
}
