package live

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/planec/planec/backends"
)

// Steps describes the plan in words and with counts, in the order of the changes.
func (p *Plan) Steps() []string {
	var list []string
	for _, c := range p.changes {
		list = append(list, c.steps()...)
	}
	return list
}

func (c *tableChange) steps() []string {
	table := "table " + c.family.String() + " " + tableNamed
	var list []string
	say := func(format string, args ...any) { list = append(list, table+": "+fmt.Sprintf(format, args...)) }
	if c.remove {
		say("delete it (%s)", c.why)
	}
	if c.create {
		say("create it with %s and %s", backends.Count(len(c.newSets), "set"), backends.Count(len(c.newChains), "chain"))
	} else {
		for _, s := range c.newSets {
			say("add %s", s.word())
		}
		for _, n := range c.newChains {
			say("add chain %s with %s", n.Name, backends.Count(len(n.Rules), "rule"))
		}
	}
	for i := range c.elems {
		say("%s: %s", c.elems[i].set.word(), c.elems[i].words())
	}
	for _, n := range c.rules {
		say("chain %s: replace the rules by %s", n.Name, backends.Count(len(n.Rules), "rule"))
	}
	for _, n := range c.goneChains {
		say("delete chain %s", n)
	}
	for _, n := range c.goneSets {
		say("delete set %s", n)
	}
	return list
}

func (s *Set) word() string {
	if s.isMap() {
		return "map " + s.Name
	}
	return "set " + s.Name
}

func (e *elemChange) words() string {
	var parts []string
	for _, p := range []struct {
		n    int
		verb string
	}{{len(e.del) - e.replaced, "delete"}, {e.replaced, "replace"}, {e.added() - e.replaced, "add"}} {
		if p.n > 0 {
			parts = append(parts, p.verb+" "+backends.Count(p.n, "element"))
		}
	}
	return strings.Join(parts, ", ") + e.names
}

// named returns the change with the names of the objects behind its elements.
func (e elemChange) named() elemChange {
	var n backends.Named
	var before []byte
	add := func(r record) {
		// Elements of one object follow each other, and there are hundreds of thousands.
		if !bytes.Equal(r.udata, before) {
			n.Add(r.comment())
			before = r.udata
		}
	}
	for _, place := range e.del {
		r, _ := e.from.Elems.at(place)
		add(r)
	}
	for _, place := range e.add {
		r, _ := e.set.Elems.at(place)
		add(r)
	}
	if e.whole && e.set.Elems.told {
		for _, r := range e.set.Elems.all() {
			add(r)
		}
	}
	e.names = n.String()
	return e
}
