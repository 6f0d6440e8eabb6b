package nftables

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/planec/planec/ir"
)

// statement is one step of a rule. It returns false if it does not match, which
// ends the rule.
type statement interface {
	run(m *machine) bool
}

// The statements. Names of sets are resolved after the whole table is parsed.
type (
	matchSet struct {
		key    []field
		set    *set
		negate bool
	}
	matchPrefix struct {
		field  field
		prefix netip.Prefix
	}
	// matchState is "ct state ...": whether the states include new.
	matchState struct{ isNew bool }
	matchDNAT  struct{}
	// matchNoSYN is "tcp flags ! syn".
	matchNoSYN struct{}
	// matchProtocol is "meta l4proto tcp", matchPorts "tcp dport ...".
	matchProtocol struct{ proto ir.Protocol }
	matchPorts    struct {
		proto  ir.Protocol
		ranges numbers
	}
	// matchICMPv6 is "icmpv6 type ...".
	matchICMPv6 struct{ types numbers }
	// matchFIB is "fib saddr|daddr type local".
	matchFIB struct {
		dest, negate bool
	}
	matchInterface struct {
		name           string
		prefix, negate bool
	}
	matchMark    struct{ mask uint32 }
	matchAtLeast struct {
		field field
		least uint32
	}
	decide struct{ verdict verdict }
	mapTo  struct { // vmap
		key []field
		set *set
	}
	// setMeta writes the mark or the priority: the old value combined with a
	// constant, or the value of a map or a hash.
	setMeta struct {
		field field
		and   func(old uint32) uint32
		key   []field
		set   *set
	}
	updateMap struct {
		set     *set
		key     []field
		data    []field
		timeout time.Duration
	}
	deleteFrom struct {
		set *set
		key []field
	}
	dnat struct {
		key []field
		set *set
	}
	masquerade struct{}
)

// parseRule parses a rule of a chain.
func (t *table) parseRule(line *stream) ([]statement, error) {
	var out []statement
	for !line.done() {
		if line.accept("comment") {
			line.next()
			continue
		}
		s, err := t.parseStatement(line)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (t *table) parseStatement(line *stream) (statement, error) {
	if v, ok := parseVerdict(line); ok {
		return decide{v}, nil
	}
	switch {
	case line.accept("ct", "state", "new"):
		return matchState{isNew: true}, nil
	case line.accept("ct", "state", "invalid"):
		return matchState{}, nil
	case line.accept("ct", "state", "established,related"):
		return matchState{}, nil
	case line.accept("ct", "state", "invalid,new"):
		return matchState{isNew: true}, nil
	case line.accept("tcp", "flags", "!", "syn"):
		return matchNoSYN{}, nil
	case line.accept("ct", "status", "dnat"):
		return matchDNAT{}, nil
	case line.accept("fib", "saddr", "type"):
		return matchFIB{negate: line.accept("!=")}, line.expect("local")
	case line.accept("fib", "daddr", "type"):
		return matchFIB{dest: true, negate: line.accept("!=")}, line.expect("local")
	case line.accept("iifname"):
		return parseInterface(line)
	case line.peek() == "meta" && line.peekAt(1) == "l4proto" && line.peekAt(2) != ".":
		return parseProtocol(line)
	case line.peekAt(1) == "dport" && line.peek() != "th":
		return parsePorts(line)
	case line.accept("icmpv6", "type"):
		types, err := parseNumbers(line, 255)
		return matchICMPv6{types}, err
	case line.accept("meta", "mark", "set"):
		return t.parseSetMark(line)
	case line.accept("meta", "priority", "set"):
		return t.parseSetPriority(line)
	case line.accept("update"):
		return t.parseUpdate(line)
	case line.accept("delete"):
		u, err := t.parseUpdate(line)
		return deleteFrom{u.set, u.key}, err
	case line.accept("dnat", "ip", "to"), line.accept("dnat", "ip6", "to"):
		key, s, err := t.parseLookup(line)
		return dnat{key, s}, err
	case line.accept("masquerade"):
		line.accept("fully-random")
		return masquerade{}, nil
	}
	return t.parseMatch(line)
}

func parseInterface(line *stream) (statement, error) {
	m := matchInterface{negate: line.accept("!=")}
	name, err := strconv.Unquote(line.next())
	m.name, m.prefix = strings.CutSuffix(name, "*")
	return m, err
}

// parseMatch parses a statement that begins with expressions.
func (t *table) parseMatch(line *stream) (statement, error) {
	if line.accept("meta", "mark", "&") {
		return parseMarkBit(line)
	}
	key, err := parseConcat(line)
	if err != nil {
		return nil, err
	}
	switch {
	case line.accept("vmap"):
		s, err := t.setNamed(line.next(), key)
		return mapTo{key, s}, err
	case line.accept(">="):
		return parseAtLeast(line, key)
	}
	negate := line.accept("!=")
	if strings.HasPrefix(line.peek(), "@") {
		s, err := t.setNamed(line.next(), key)
		return matchSet{key, s, negate}, err
	}
	if len(key) != 1 || negate {
		return nil, fmt.Errorf("a match with %q", line.peek())
	}
	p, err := parsePrefix(line.next())
	return matchPrefix{key[0], p}, err
}

// parseMarkBit parses "meta mark & M == M".
func parseMarkBit(line *stream) (statement, error) {
	mask, err := strconv.ParseUint(line.next(), 0, 32)
	if err == nil {
		err = line.expect("==")
	}
	if err != nil {
		return nil, err
	}
	value, err := strconv.ParseUint(line.next(), 0, 32)
	if err == nil && value != mask {
		err = fmt.Errorf("a mark compared with %x under %x", value, mask)
	}
	return matchMark{uint32(mask)}, err
}

func parseAtLeast(line *stream, key []field) (statement, error) {
	if len(key) != 1 {
		return nil, fmt.Errorf(">= on a concatenation")
	}
	switch key[0].read {
	case metaMark:
		n, err := strconv.ParseUint(line.next(), 0, 32)
		return matchAtLeast{key[0], uint32(n)}, err
	case metaPriority:
		n, err := parsePriority(line.next())
		return matchAtLeast{key[0], n}, err
	}
	return nil, fmt.Errorf(">= on such an expression")
}

func (t *table) parseSetMark(line *stream) (statement, error) {
	target := field{kind: mark, read: metaMark}
	for op, combine := range map[string]func(a, b uint32) uint32{
		"|": func(a, b uint32) uint32 { return a | b },
		"^": func(a, b uint32) uint32 { return a ^ b },
	} {
		if !line.accept("meta", "mark", op) {
			continue
		}
		n, err := strconv.ParseUint(line.next(), 0, 32)
		return setMeta{field: target, and: func(old uint32) uint32 { return combine(old, uint32(n)) }}, err
	}
	if line.peek() == "jhash" {
		f, err := parseField(line)
		return setMeta{field: target, key: []field{f}}, err
	}
	key, s, err := t.parseLookup(line)
	return setMeta{field: target, key: key, set: s}, err
}

func (t *table) parseSetPriority(line *stream) (statement, error) {
	target := field{kind: priority, read: metaPriority}
	if line.accept("none") {
		return setMeta{field: target, and: func(uint32) uint32 { return 0 }}, nil
	}
	if strings.Contains(line.peek(), ":") || line.peek() == "root" {
		n, err := parsePriority(line.next())
		return setMeta{field: target, and: func(uint32) uint32 { return n }}, err
	}
	key, s, err := t.parseLookup(line)
	return setMeta{field: target, key: key, set: s}, err
}

// parseLookup parses "key map @name".
func (t *table) parseLookup(line *stream) ([]field, *set, error) {
	key, err := parseConcat(line)
	if err == nil {
		err = line.expect("map")
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := t.setNamed(line.next(), key)
	return key, s, err
}

// parseUpdate parses "@name { key [timeout T] [: data] }".
func (t *table) parseUpdate(line *stream) (updateMap, error) {
	name := line.next()
	if err := line.expect("{"); err != nil {
		return updateMap{}, err
	}
	var u updateMap
	var err error
	if u.key, err = parseConcat(line); err != nil {
		return u, err
	}
	if line.accept("timeout") {
		if u.timeout, err = parseTimeout(line.next()); err != nil {
			return u, err
		}
	}
	if line.accept(":") {
		if u.data, err = parseConcat(line); err != nil {
			return u, err
		}
	}
	if u.set, err = t.setNamed(name, u.key); err != nil {
		return u, err
	}
	return u, line.expect("}")
}

// parseTimeout parses times of nft, which may contain days: "1d2h3m4s".
func parseTimeout(s string) (time.Duration, error) {
	var days uint64
	if d, rest, ok := strings.Cut(s, "d"); ok {
		var err error
		if days, err = strconv.ParseUint(d, 10, 16); err != nil {
			return 0, err
		}
		if s = rest; s == "" {
			s = "0s"
		}
	}
	t, err := time.ParseDuration(s)
	return t + time.Duration(days)*24*time.Hour, err
}
