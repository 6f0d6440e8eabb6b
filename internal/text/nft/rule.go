package nft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule reads a line of the chain, which has this number. The rule that is returned is
// the same for all chains of a table: it and its list of statements are for reading,
// until the next one; what the statements have stays.
func (c *Chain) Rule(number int, line []byte) (*Rule, error) {
	text, ok := strings.CutPrefix(string(line), "\t\t")
	w, err := split(c.table.words[:0], text)
	c.table.words = w.list
	c.table.rule = Rule{Text: text, Statements: c.table.rule.Statements[:0]}
	p := ruleParser{words: w, table: c.table, rule: &c.table.rule}
	if err == nil && !ok {
		err = fmt.Errorf("it does not stand in a chain")
	}
	if err == nil {
		err = p.parse()
	}
	if err != nil {
		return nil, atLine(number, fmt.Errorf("rule %q: %w", text, err))
	}
	return p.rule, nil
}

// ruleParser reads one rule.
type ruleParser struct {
	words
	table *Table
	rule  *Rule
}

func (p *ruleParser) parse() error {
	for !p.done() {
		if p.accept("comment") {
			return p.comment()
		}
		s, err := p.statement()
		if err != nil {
			return err
		}
		p.rule.Statements = append(p.rule.Statements, s)
	}
	if len(p.rule.Statements) == 0 {
		return fmt.Errorf("it does nothing")
	}
	return nil
}

// comment reads the comment, which ends a rule.
func (p *ruleParser) comment() error {
	s := p.next()
	if len(s) < 2 || s[0] != '"' || len(s)-2 > MaxComment || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("comment %s", s)
	}
	if !p.done() || len(p.rule.Statements) == 0 {
		return fmt.Errorf("a comment that does not end a rule")
	}
	p.rule.Comment, p.rule.Commented = s[1:len(s)-1], true
	return nil
}

func (p *ruleParser) statement() (Statement, error) {
	if v := verdicts[p.peek()]; v != NoVerdict {
		return p.verdict(v)
	}
	switch p.peek() {
	case "ct":
		if p.peekAt(1) != "id" {
			return p.conntrack()
		}
	case "masquerade":
		return Masquerade{}, p.expect("masquerade", "fully-random")
	case "notrack":
		return Notrack{}, p.expect("notrack")
	case "tcp", "udp", "sctp":
		return p.transport()
	case "fib":
		return p.isLocal()
	case "iifname":
		return p.fromInterface()
	case "icmp":
		return p.types(ICMP)
	case "icmpv6":
		return p.types(ICMPv6)
	case "@th,0,16":
		p.next()
		r, err := parseRange(p.next(), 0xffff)
		return StartsWith{r}, err
	case "log":
		return p.log()
	case "meta":
		if s, err := p.meta(); s != nil || err != nil {
			return s, err
		}
	case "update", "delete":
		return p.update()
	case "dnat":
		return p.dnat()
	}
	return p.match()
}

// verdict reads a verdict, which ends a rule.
func (p *ruleParser) verdict(v Verdict) (Statement, error) {
	p.next()
	d := Decide{Verdict: v}
	if v.Leads() {
		if d.Chain = p.next(); p.table.chains[d.Chain] == nil {
			return nil, fmt.Errorf("no chain %q", d.Chain)
		}
	}
	if !p.done() && p.peek() != "comment" {
		return nil, fmt.Errorf("%q after a verdict", p.peek())
	}
	return d, nil
}

func (p *ruleParser) conntrack() (Statement, error) {
	switch {
	case p.accept("ct", "state", "new"):
		return InState{New: true}, nil
	case p.accept("ct", "state", "invalid"):
		return InState{Invalid: true}, nil
	case p.accept("ct", "state", "established,related"):
		return InState{Established: true, Related: true}, nil
	case p.accept("ct", "state", "invalid,new"):
		return InState{Invalid: true, New: true}, nil
	case p.accept("ct", "state", "untracked"):
		return InState{Untracked: true}, nil
	}
	return HasDNAT{}, p.expect("ct", "status", "dnat")
}

// transport reads "tcp flags ! syn", "PROTO dport ..." and "PROTO sport ...".
func (p *ruleParser) transport() (Statement, error) {
	if p.accept("tcp", "flags", "!", "syn") {
		return NoSYN{}, nil
	}
	proto, err := p.protocol()
	source := p.peek() == "sport"
	if err == nil && !source {
		err = p.expect("dport")
	}
	if err != nil {
		return nil, err
	}
	if source {
		p.next()
	}
	list, listed, err := p.ports()
	if source {
		return FromPorts{proto, list, listed}, err
	}
	return ToPorts{proto, list, listed}, err
}

// ports reads one port or range, or a list of them in braces.
func (p *ruleParser) ports() (list []Range, listed bool, err error) {
	if p.accept("{") {
		list, err = p.portList()
		return list, true, err
	}
	r, err := parseRange(p.next(), 0xffff)
	return []Range{r}, false, err
}

// types reads "icmp type A" and "icmp type A-B", or those of "icmpv6".
func (p *ruleParser) types(proto Protocol) (Statement, error) {
	p.next()
	if err := p.expect("type"); err != nil {
		return nil, err
	}
	r, err := parseRange(p.next(), 255)
	return OfTypes{proto, r}, err
}

// log reads `log prefix "..."`.
func (p *ruleParser) log() (Statement, error) {
	const most = 127 // NF_LOG_PREFIXLEN - 1
	if err := p.expect("log", "prefix"); err != nil {
		return nil, err
	}
	s := p.next()
	if n := len(s); n < 3 || s[0] != '"' || s[n-1] != '"' || n-2 > most || strings.ContainsAny(s[1:n-1], "\"\\\x00") {
		return nil, fmt.Errorf("log prefix %s", s)
	}
	return Log{s[1 : len(s)-1]}, nil
}

// portList reads ports and ranges up to "}". They ascend, since nft lists them so.
func (p *ruleParser) portList() (list []Range, err error) {
	for more := true; more; {
		var word string
		word, more = strings.CutSuffix(p.next(), ",")
		r, err := parseRange(word, 0xffff)
		if err != nil {
			return nil, err
		}
		if n := len(list); n > 0 && list[n-1].Last >= r.First {
			return nil, fmt.Errorf("ports %q are not in order", word)
		}
		list = append(list, r)
	}
	return list, p.expect("}")
}

func (p *ruleParser) protocol() (Protocol, error) {
	r := scanner{b: []byte(p.next())}
	n, err := r.number(Proto)
	return Protocol(n), err
}

// parseRange reads "first" or "first-last".
func parseRange(s string, most uint64) (Range, error) {
	r := scanner{b: []byte(s)}
	first, err := r.decimal(most)
	last := first
	if err == nil && r.skip("-") {
		last, err = r.decimal(most)
	}
	if err == nil && (!r.atEnd() || last < first) {
		err = fmt.Errorf("range %q", s)
	}
	return Range{uint16(first), uint16(last)}, err
}

// isLocal reads "fib saddr|daddr type [!=] local".
func (p *ruleParser) isLocal() (Statement, error) {
	var s IsLocal
	if s.Dest = p.peekAt(1) == "daddr"; !s.Dest && p.peekAt(1) != "saddr" {
		return nil, fmt.Errorf("unknown statement %q", "fib "+p.peekAt(1))
	}
	p.at += 2
	err := p.expect("type")
	s.Negate = p.accept("!=")
	if err == nil {
		err = p.expect("local")
	}
	return s, err
}

// fromInterface reads `iifname [!=] "name"`; a star at the end is any rest.
func (p *ruleParser) fromInterface() (Statement, error) {
	p.next()
	s := FromInterface{Negate: p.accept("!=")}
	name, err := strconv.Unquote(p.next())
	if err != nil {
		return nil, err
	}
	s.Name, s.Prefix = strings.CutSuffix(name, "*")
	if n := len(s.Name); n == 0 || n > 15 || strings.ContainsAny(s.Name, "*\\\x00") { // IFNAMSIZ
		return nil, fmt.Errorf("interface %q", name)
	}
	return s, nil
}

// meta reads the statements that begin with "meta" and are no look-up; nil where it is
// one.
func (p *ruleParser) meta() (Statement, error) {
	switch {
	case p.accept("meta", "mark", "&"):
		return p.hasMark()
	case p.accept("meta", "mark", "set"):
		return p.setMark()
	case p.accept("meta", "priority", "set"):
		return p.setPriority()
	case p.peekAt(1) == "l4proto" && p.peekAt(2) != ".":
		p.at += 2
		proto, err := p.protocol()
		return OfProtocol{proto}, err
	}
	return nil, nil
}

// hasMark reads "meta mark & M == M".
func (p *ruleParser) hasMark() (Statement, error) {
	mask, err := p.number()
	if err == nil {
		err = p.expect("==")
	}
	if err != nil {
		return nil, err
	}
	value, err := p.number()
	if err == nil && value != mask {
		err = fmt.Errorf("a mark compared with %#x under %#x", value, mask)
	}
	return HasMark{mask}, err
}

// match reads a statement that begins with a key.
func (p *ruleParser) match() (Statement, error) {
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	switch {
	case p.accept("vmap"):
		s, err := p.set(key)
		if err == nil && !s.Verdicts() {
			err = fmt.Errorf("%s has no verdicts", s.Name)
		}
		return DecideBy{key, s}, err
	case p.accept(">="):
		return p.atLeast(key)
	}
	negate := p.accept("!=")
	if strings.HasPrefix(p.peek(), "@") {
		s, err := p.set(key)
		return InSet{key, s, negate}, err
	}
	if len(key) != 1 || negate || key[0].Source != SourceAddr && key[0].Source != DestAddr {
		return nil, fmt.Errorf("a match with %q", p.peek())
	}
	return p.inPrefix(key[0])
}

// key reads expressions with dots between them, of headers that the table's packets
// have.
func (p *ruleParser) key() ([]Field, error) {
	list, err := p.concat()
	for _, f := range list {
		if err == nil && (f.Kind == Addr4 || f.Kind == Addr6) && f.Kind != p.table.Family.addr() {
			err = fmt.Errorf("a header of the other family")
		}
	}
	return list, err
}

// inPrefix reads an address or a prefix.
func (p *ruleParser) inPrefix(f Field) (Statement, error) {
	word := p.next()
	r := scanner{b: []byte(word)}
	first, last, err := r.span(f.Kind)
	if err != nil {
		return nil, err
	}
	for bits := range first.BitLen() + 1 {
		if prefix, _ := first.Prefix(bits); prefix.Addr() == first && lastAddr(prefix) == last {
			return InPrefix{f, prefix}, nil
		}
	}
	return nil, fmt.Errorf("no prefix: %q", word)
}

// atLeast reads a number for a field that has the machine's byte order.
func (p *ruleParser) atLeast(key []Field) (Statement, error) {
	if len(key) != 1 || key[0].Kind != Mark && key[0].Kind != ClassID {
		return nil, fmt.Errorf(">= on such an expression")
	}
	n, err := p.constant(key[0].Kind)
	return AtLeast{key[0], n}, err
}

// constant reads a number as an element spells it.
func (p *ruleParser) constant(k Kind) (uint32, error) {
	word := p.next()
	r := scanner{b: []byte(word)}
	n, err := r.number(k)
	if err == nil && !r.atEnd() {
		err = fmt.Errorf("%q", word)
	}
	return n, err
}

// set finds "@name" and compares its type.
func (p *ruleParser) set(key []Field) (*Set, error) {
	reference := p.next()
	name, ok := strings.CutPrefix(reference, "@")
	s := p.table.sets[name]
	if !ok || s == nil {
		return nil, fmt.Errorf("no set %q", reference)
	}
	if !slices.EqualFunc(s.Key, key, func(a, b Field) bool { return a.Kind == b.Kind }) {
		return nil, fmt.Errorf("%s has another type", reference)
	}
	return s, nil
}
