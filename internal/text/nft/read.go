package nft

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reset begins every text: it removes older tables.
var reset = [...]string{
	"add table ip planec", "delete table ip planec", "add table ip6 planec", "delete table ip6 planec",
}

// Parse reads the structure of a text, which has to stay as it is for as long as the
// result is used. Elements and rules are read when they are asked for.
func Parse(text []byte) (*Ruleset, error) {
	p := parser{text: text, ruleset: &Ruleset{}}
	if err := p.parse(); err != nil {
		return nil, atLine(p.number, err)
	}
	return p.ruleset, nil
}

// parser is the place in the text.
type parser struct {
	ruleset *Ruleset
	// text is what is left, and number that of the line before it.
	text   []byte
	number int
}

var errEnd = errors.New("the text ends here")

// next takes a line.
func (p *parser) next() (line []byte, err error) {
	p.number++
	if len(p.text) == 0 {
		return nil, errEnd
	}
	line, p.text, _ = bytes.Cut(p.text, []byte{'\n'})
	return line, nil
}

// section takes the lines up to the one that ends them, and that too.
func (p *parser) section(end string) (lines []byte, count int, err error) {
	n := lineAt(p.text, end)
	if n < 0 {
		return nil, 0, fmt.Errorf("what begins here has no end")
	}
	lines, p.text = p.text[:n], p.text[n+len(end):]
	count = bytes.Count(lines, []byte{'\n'})
	p.number += count + 1
	return lines, count, nil
}

// lineAt returns where the first line begins that is end, which is tabs, a brace and a line's end; -1 if there
// is none. Elements have no braces, so that it sees few lines but the one.
func lineAt(text []byte, end string) int {
	for from := 0; ; {
		brace := bytes.IndexByte(text[from:], '}')
		if brace < 0 {
			return -1
		}
		from += brace + 1
		begin := from - len(end) + 1
		if begin >= 0 && (begin == 0 || text[begin-1] == '\n') && bytes.HasPrefix(text[begin:], []byte(end)) {
			return begin
		}
	}
}

func (p *parser) parse() error {
	for _, want := range reset {
		if line, err := p.next(); err != nil || string(line) != want {
			return fmt.Errorf("want %q, which removes older tables", want)
		}
	}
	for len(p.text) > 0 {
		line, _ := p.next()
		if len(line) == 0 {
			continue
		}
		var err error
		switch string(line) {
		case "table ip planec {":
			err = p.table(IPv4)
		case "table ip6 planec {":
			err = p.table(IPv6)
		default:
			err = fmt.Errorf("unknown command %q", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) table(f Family) error {
	if n := len(p.ruleset.Tables); n > 0 && p.ruleset.Tables[n-1].Family >= f {
		return fmt.Errorf("a second table, or not in order")
	}
	t := &Table{Family: f, sets: make(map[string]*Set), chains: make(map[string]*Chain)}
	p.ruleset.Tables = append(p.ruleset.Tables, t)
	for {
		line, err := p.next()
		if err != nil {
			return err
		}
		switch text := string(line); text {
		case "":
		case "}":
			return nil
		default:
			if err := p.item(t, text); err != nil {
				return err
			}
		}
	}
}

// item reads a set, a map or a chain.
func (p *parser) item(t *Table, text string) error {
	words := strings.Split(text, " ")
	if len(words) != 3 || words[2] != "{" || !validName(words[1]) {
		return fmt.Errorf("unknown item of a table: %q", text)
	}
	name := words[1]
	switch words[0] {
	case "\tset", "\tmap":
		s := &Set{Name: name, Index: len(t.Sets), Map: words[0] == "\tmap", table: t}
		if t.sets[name] != nil || len(t.Chains) > 0 {
			return fmt.Errorf("a second %s, or one after the chains", name)
		}
		t.Sets, t.sets[name] = append(t.Sets, s), s
		return p.set(s)
	case "\tchain":
		c := &Chain{Name: name, table: t}
		if t.chains[name] != nil {
			return fmt.Errorf("a second chain %s", name)
		}
		t.Chains, t.chains[name] = append(t.Chains, c), c
		return p.chain(c)
	}
	return fmt.Errorf("unknown item of a table: %q", text)
}

func (p *parser) chain(c *Chain) (err error) {
	c.line = p.number
	if c.Text, _, err = p.section("\t}\n"); err != nil {
		return err
	}
	first, _, _ := bytes.Cut(c.Text, []byte{'\n'})
	if text, ok := bytes.CutPrefix(first, []byte("\t\ttype ")); ok {
		if c.Base, err = parseBase(string(text)); err != nil {
			p.number = c.line + 1
		}
	}
	return err
}

var hooks = [...]string{Prerouting: "prerouting", Input: "input", Forward: "forward", Output: "output", Postrouting: "postrouting"}

// parseBase reads "T hook H priority P; policy accept;".
func parseBase(text string) (*Base, error) {
	kind, rest, ok := strings.Cut(text, " hook ")
	hook, rest, ok2 := strings.Cut(rest, " priority ")
	priority, ok3 := strings.CutSuffix(rest, "; policy accept;")
	number := slices.Index(hooks[:], hook)
	if !ok || !ok2 || !ok3 || number < 0 || kind != "nat" && kind != "filter" {
		return nil, fmt.Errorf("unknown base chain %q", text)
	}
	n, err := parsePriority(priority)
	return &Base{Type: kind, Hook: Hook(number), Priority: n}, err
}

// priorities are the names that the backend uses (enum nf_ip_hook_priorities).
var priorities = map[string]int32{"raw": -300, "dstnat": -100, "filter": 0, "srcnat": 100}

// parsePriority reads a priority by name, by number, or "name - number".
func parsePriority(s string) (int32, error) {
	name, offset, more := strings.Cut(s, " ")
	base, named := priorities[name]
	if !named {
		offset = s
	} else if !more {
		return base, nil
	} else {
		sign, n, _ := strings.Cut(offset, " ")
		if offset = sign + n; sign != "-" && sign != "+" {
			return 0, fmt.Errorf("priority %q", s)
		}
	}
	n, err := strconv.ParseInt(offset, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("priority %q", s)
	}
	return base + int32(n), nil
}

// validName reports whether nft takes it as a name. The kernel's limit is
// NFT_NAME_MAXLEN, 256 with the NUL.
func validName(name string) bool {
	if len(name) == 0 || len(name) > 255 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c-'a' < 26 || c-'A' < 26
		if !letter && (i == 0 || c-'0' >= 10 && c != '-' && c != '_' && c != '.' && c != '/') {
			return false
		}
	}
	return true
}
