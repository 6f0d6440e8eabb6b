package live

import (
	"fmt"
	"strings"

	"github.com/google/nftables/expr"
)

// match reads a statement that begins with expressions.
func (c *compiler) match() error {
	list, err := c.line.concat()
	if err != nil {
		return err
	}
	switch {
	case c.line.accept("vmap"):
		s, err := c.setNamed(c.line.next(), list)
		if err != nil {
			return err
		}
		if !s.verdicts() {
			return fmt.Errorf("%s has no verdicts", s.Name)
		}
		c.loadAll(list, 0, s.interval())
		c.lookup(s.Name, toVerdict)
		return nil
	case c.line.accept(">="):
		return c.atLeast(list)
	}
	then := matches
	if c.line.accept("!=") {
		then = matchesNot
	}
	if strings.HasPrefix(c.line.peek(), "@") {
		s, err := c.setNamed(c.line.next(), list)
		if err != nil {
			return err
		}
		c.loadAll(list, 0, s.interval())
		c.lookup(s.Name, then)
		return nil
	}
	if len(list) != 1 || list[0].expr != payload || then != matches {
		return fmt.Errorf("a match with %q", c.line.peek())
	}
	return c.inPrefix(list[0])
}

// atLeast reads a number for a field that has the machine's byte order: it is
// compared big endian.
func (c *compiler) atLeast(list []field) error {
	if len(list) != 1 || list[0].kind != mark && list[0].kind != classID {
		return fmt.Errorf(">= on such an expression")
	}
	v, err := constant(nil, list[0].kind, c.line.next())
	if err != nil {
		return err
	}
	c.load(list[0], 0)
	c.byteorder(0, 4, 4)
	c.cmp(expr.CmpOpGte, bigOfHost(v))
	return nil
}

// inPrefix reads an address or a prefix of whole bytes.
func (c *compiler) inPrefix(f field) error {
	r := reader{b: []byte(c.line.next())}
	first, last, err := r.span(f.kind)
	if err != nil {
		return err
	}
	from, to := first.AsSlice(), last.AsSlice()
	n := 0
	for n < len(from) && from[n] == to[n] {
		n++
	}
	if !allZero(from[n:]) || !allOnes(to[n:]) || n == 0 {
		return fmt.Errorf("no prefix of whole bytes: %q", r.b)
	}
	c.payload(register(0), f.base, f.offset, uint32(n))
	c.cmp(expr.CmpOpEq, from[:n])
	return nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// ports reads "PROTO dport ...": a port, a range, or several in braces.
func (c *compiler) ports() error {
	name := c.line.next()
	c.line.next()
	if err := c.protocol(name); err != nil {
		return err
	}
	c.payload(register(0), transport, 2, 2)
	if c.line.accept("{") {
		s, err := c.portSet(protocols[name].desc)
		if err != nil {
			return err
		}
		c.rule.Sets = append(c.rule.Sets, s)
		c.lookup(s.Name, matches)
		return nil
	}
	first, last, err := parseRange(c.line.next(), 0xffff)
	if err != nil {
		return err
	}
	c.between(bigPort(first), bigPort(last))
	return nil
}

// portSet reads the ports up to "}" as the rule's own set. nft counts two elements
// for a range, its first and the one after it, and one at 0 in front.
func (c *compiler) portSet(desc uint32) (*Set, error) {
	list, ranges, err := c.portList()
	if err != nil {
		return nil, err
	}
	s := &Set{Name: anonymousName, Flags: setAnonymous | setConstant, KeyType: typePort, KeyLen: 2}
	if ranges {
		s.Flags |= setInterval
	}
	s.Elems.keyLen = s.storedKey()
	for _, p := range list {
		if !ranges {
			s.Elems.append(record{key: bigPort(p[0])})
			continue
		}
		r := record{key: append(bigPort(p[0]), bigPort(p[1])...)}
		if p[1] == 0xffff {
			r.udata = udataU32(nil, udataFlags, intervalOpen)
		}
		s.Elems.append(r)
	}
	s.Size = uint32(len(list))
	if ranges {
		s.Size *= 2
		if list[0][0] != 0 {
			s.Size++
		}
	}
	s.Elems.index()
	s.UserData = portSetUserData(desc, ranges)
	return s, nil
}

func portSetUserData(desc uint32, ranges bool) []byte {
	const keyOrder, merge, keyTypeof = 0, 2, 3
	b := udataU32(nil, keyOrder, kinds[port].order)
	if ranges {
		b = udataU32(b, merge, 1)
	}
	f := field{expr: payload, desc: desc, template: 2}
	return udata(b, keyTypeof, f.udata)
}

// portList reads ports and ranges, which ascend and do not touch: nft would join
// them.
func (c *compiler) portList() (list [][2]uint32, ranges bool, err error) {
	for more := true; more; {
		var word string
		word, more = strings.CutSuffix(c.line.next(), ",")
		first, last, err := parseRange(word, 0xffff)
		if err != nil {
			return nil, false, err
		}
		if n := len(list); n > 0 && list[n-1][1] >= first {
			return nil, false, fmt.Errorf("ports %q are not in order", word)
		}
		ranges = ranges || first != last
		list = append(list, [2]uint32{first, last})
	}
	return list, ranges, c.line.expect("}")
}
