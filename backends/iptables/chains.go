package iptables

import (
	"cmp"
	"slices"
)

// chains collects the chains of one table. Only one chain is open at a time, so a
// chain must be complete before another chain that refers to it is opened.
type chains struct {
	table string
	list  []chain
	b     []byte
	name  string
}

// chain is the name of a chain and the position of its rules in the buffer.
type chain struct {
	name       string
	start, end int
}

// open begins a chain.
func (c *chains) open(name string) {
	c.name = name
	c.list = append(c.list, chain{name: name, start: len(c.b)})
}

// close ends it.
func (c *chains) close() { c.list[len(c.list)-1].end = len(c.b) }

// chain writes a whole chain whose rules are text.
func (c *chains) chain(name string, rules ...string) {
	c.open(name)
	for _, r := range rules {
		c.end(append(c.rule(), r...))
	}
	c.close()
}

// rule begins a rule of the open chain.
func (c *chains) rule() []byte { return append(append(c.b, "-A "...), c.name...) }

// end finishes the rule that rule began.
func (c *chains) end(b []byte) { c.b = append(b, '\n') }

// appendTo writes the table as iptables-save does: chains in the order of
// their names.
func (c *chains) appendTo(b []byte) []byte {
	slices.SortFunc(c.list, func(x, y chain) int { return cmp.Compare(x.name, y.name) })
	b = slices.Grow(b, len(c.b)+len(c.list)*40)
	b = c.appendHead(b)
	for _, x := range c.list {
		b = append(b, c.b[x.start:x.end]...)
	}
	return append(b, "COMMIT\n"...)
}

// appendHead declares the chains: --noflush makes them, or empties them.
func (c *chains) appendHead(b []byte) []byte {
	b = append(b, "*"+c.table+"\n"...)
	for _, x := range c.list {
		b = append(append(append(b, ':'), x.name...), " - [0:0]\n"...)
	}
	return b
}

// appendCleanTo writes the lines that remove the table's chains. It declares each
// chain first, so that -X works whether or not the chain exists.
func (c *chains) appendCleanTo(b []byte) []byte {
	slices.SortFunc(c.list, func(x, y chain) int { return cmp.Compare(x.name, y.name) })
	b = c.appendHead(b)
	for _, j := range jumps {
		if j.Table == c.table {
			b = append(b, "-D "+j.Rule()+"\n"...)
		}
	}
	for _, x := range c.list {
		b = append(append(append(b, "-X "...), x.name...), '\n')
	}
	return append(b, "COMMIT\n"...)
}
