package live

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// compiler turns one rule into expressions.
type compiler struct {
	exprs []expr.Any
	table *Table
	line  *stream
	rule  *Rule
}

// compile reads a line of a chain.
func (t *Table) compile(text string) (*Rule, error) {
	line, err := newStream(text)
	if err != nil {
		return nil, err
	}
	c := compiler{table: t, line: line, rule: &Rule{}}
	for !line.done() && err == nil {
		if line.accept("comment") {
			err = c.comment()
			break
		}
		err = c.statement()
	}
	if err == nil && !line.done() {
		err = fmt.Errorf("%q after the end", line.peek())
	}
	if err == nil && len(c.exprs) == 0 {
		err = fmt.Errorf("it does nothing")
	}
	if err != nil {
		return nil, err
	}
	if c.rule.Exprs, err = marshal(t.Family, c.exprs); err == nil && len(c.rule.Exprs) > 1<<15 {
		err = fmt.Errorf("it is too long")
	}
	return c.rule, err
}

func (c *compiler) comment() error {
	s := c.line.next()
	if len(s) < 2 || s[0] != '"' || len(s)-2 > maxComment || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("comment %s", s)
	}
	c.rule.UserData = appendComment(nil, []byte(s[1:len(s)-1]))
	return nil
}

// Bits of ct state (NF_CT_STATE_*) and of ct status (IPS_DST_NAT).
const (
	stateInvalid, stateEstablished, stateRelated, stateNew = 1, 2, 4, 8

	statusDNAT = 0x20
)

func (c *compiler) statement() error {
	line := c.line
	switch {
	case c.verdict():
		return nil
	case line.accept("reject"):
		c.reject(c.table.Family)
	case line.accept("masquerade", "fully-random"):
		c.add(&expr.Masq{FullyRandom: true})
	case line.accept("ct", "state", "new"):
		c.state(stateNew)
	case line.accept("ct", "state", "invalid"):
		c.state(stateInvalid)
	case line.accept("ct", "state", "established,related"):
		c.state(stateEstablished | stateRelated)
	case line.accept("ct", "state", "invalid,new"):
		c.state(stateInvalid | stateNew)
	case line.accept("tcp", "flags", "!", "syn"):
		return c.noSYN()
	case line.accept("ct", "status", "dnat"):
		c.load(field{expr: conntrack, key: ctStatus}, 0)
		c.anyBit(statusDNAT)
	case line.accept("fib", "saddr", "type"):
		return c.isLocal(&expr.Fib{FlagSADDR: true})
	case line.accept("fib", "daddr", "type"):
		return c.isLocal(&expr.Fib{FlagDADDR: true})
	case line.accept("iifname"):
		return c.inputInterface()
	case line.peek() == "meta" && line.peekAt(1) == "l4proto" && line.peekAt(2) != ".":
		line.at += 2
		return c.protocol(line.next())
	case line.peekAt(1) == "dport" && line.peek() != "th":
		return c.ports()
	case line.accept("icmpv6", "type"):
		return c.icmpTypes()
	case line.accept("meta", "mark", "&"):
		return c.markBit()
	case line.accept("meta", "mark", "set"):
		return c.setMark()
	case line.accept("meta", "priority", "set"):
		return c.setPriority()
	case line.accept("update"):
		return c.update(unix.NFT_DYNSET_OP_UPDATE)
	case line.accept("delete"):
		return c.update(dynsetDelete)
	case line.accept("dnat", c.table.Family.String(), "to"):
		return c.dnatTo()
	default:
		return c.match()
	}
	return nil
}

// verdict reads a verdict, the end of a rule.
func (c *compiler) verdict() bool {
	switch c.line.peek() {
	case "accept":
		c.decide(expr.VerdictAccept, "")
	case "drop":
		c.decide(expr.VerdictDrop, "")
	case "return":
		c.decide(expr.VerdictReturn, "")
	case "jump":
		return c.jump(expr.VerdictJump)
	case "goto":
		return c.jump(expr.VerdictGoto)
	default:
		return false
	}
	c.line.next()
	return true
}

func (c *compiler) jump(kind expr.VerdictKind) bool {
	to := c.line.peekAt(1)
	if !validName(to) || c.rule.to != "" {
		return false
	}
	c.line.at += 2
	c.rule.to = to
	c.decide(kind, to)
	return true
}

func (c *compiler) state(bits uint32) {
	c.load(field{expr: conntrack, key: ctState}, 0)
	c.anyBit(bits)
}

// isLocal reads "[!=] local", of the address that the look-up is about.
func (c *compiler) isLocal(lookup *expr.Fib) error {
	op := c.operator()
	lookup.Register, lookup.ResultADDRTYPE = register(0), true
	c.add(lookup)
	c.cmp(op, hostU32(unix.RTN_LOCAL))
	return c.line.expect("local")
}

func (c *compiler) operator() expr.CmpOp {
	if c.line.accept("!=") {
		return expr.CmpOpNeq
	}
	return expr.CmpOpEq
}

// inputInterface reads `[!=] "name"`; a star at the end is any rest.
func (c *compiler) inputInterface() error {
	op := c.operator()
	name, err := strconv.Unquote(c.line.next())
	if err != nil {
		return err
	}
	name, isPrefix := strings.CutSuffix(name, "*")
	data := make([]byte, 16) // IFNAMSIZ
	if n := copy(data, name); n == 0 || n > 15 || len(name) > n || strings.ContainsAny(name, "*\\\x00") {
		return fmt.Errorf("interface %q", name)
	}
	if isPrefix {
		data = data[:len(name)]
	}
	c.load(field{expr: meta, key: metaIIFName}, 0)
	c.cmp(op, data)
	return nil
}

func (c *compiler) protocol(name string) error {
	p, ok := protocols[name]
	if !ok {
		return fmt.Errorf("protocol %q", name)
	}
	c.l4proto(p.number)
	return nil
}

// noSYN matches TCP segments without the bit SYN (RFC 9293, 3.1).
func (c *compiler) noSYN() error {
	const flagsAt, syn = 13, 2
	if err := c.protocol("tcp"); err != nil {
		return err
	}
	c.payload(register(0), transport, flagsAt, 1)
	c.bitwise([]byte{syn}, []byte{0})
	c.cmp(expr.CmpOpEq, []byte{0})
	return nil
}

func (c *compiler) l4proto(number byte) {
	c.load(fieldsByName["meta l4proto"], 0)
	c.cmp(expr.CmpOpEq, []byte{number})
}

func (c *compiler) icmpTypes() error {
	const icmpv6 = 58
	first, last, err := parseRange(c.line.next(), 255)
	if err != nil {
		return err
	}
	c.l4proto(icmpv6)
	c.payload(register(0), transport, 0, 1)
	c.between([]byte{byte(first)}, []byte{byte(last)})
	return nil
}

// between matches what register 0 has.
func (c *compiler) between(first, last []byte) {
	if string(first) == string(last) {
		c.cmp(expr.CmpOpEq, first)
		return
	}
	c.cmp(expr.CmpOpGte, first)
	c.cmp(expr.CmpOpLte, last)
}

// parseRange reads "first" or "first-last".
func parseRange(s string, most uint64) (first, last uint32, err error) {
	r := reader{b: []byte(s)}
	if first, err = r.decimal(most); err != nil {
		return 0, 0, err
	}
	last = first
	if r.skip("-") {
		last, err = r.decimal(most)
	}
	if err == nil && (!r.atEnd() || last < first) {
		err = fmt.Errorf("range %q", s)
	}
	return first, last, err
}

func bigPort(n uint32) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

// markBit reads "meta mark & M == M".
func (c *compiler) markBit() error {
	mask, err := number(c.line.next())
	if err == nil {
		err = c.line.expect("==")
	}
	if err != nil {
		return err
	}
	value, err := number(c.line.next())
	c.load(fieldsByName["meta mark"], 0)
	c.bitwise(hostU32(mask), hostU32(0))
	c.cmp(expr.CmpOpEq, hostU32(value))
	return err
}
