package live

import (
	"fmt"
	"strings"
)

// setMark reads what follows "meta mark set".
func (c *compiler) setMark() error {
	switch {
	case c.line.accept("meta", "mark", "|"):
		n, err := number(c.line.next())
		c.combineMark(^n, n)
		return err
	case c.line.accept("meta", "mark", "^"):
		n, err := number(c.line.next())
		c.combineMark(1<<32-1, n)
		return err
	case c.line.accept("jhash"):
		return c.foldIntoMark()
	}
	return c.setFromMap(metaMark, mark)
}

func (c *compiler) combineMark(mask, xor uint32) {
	c.load(fieldsByName["meta mark"], 0)
	c.bitwise(hostU32(mask), hostU32(xor))
	c.setMeta(metaMark)
}

// foldIntoMark reads "CONCAT mod N seed S". nft keeps the first large register
// for the result.
func (c *compiler) foldIntoMark() error {
	const at = 4
	list, err := c.line.concat()
	if err == nil {
		err = c.line.expect("mod")
	}
	if err != nil {
		return err
	}
	mod, err := number(c.line.next())
	if err == nil {
		err = c.line.expect("seed")
	}
	if err != nil {
		return err
	}
	seed, err := number(c.line.next())
	if words(list)+at > 16 || mod == 0 {
		return fmt.Errorf("a hash of too much, or mod 0")
	}
	c.loadAll(list, at, false)
	c.jhash(at, 4*words(list), mod, seed)
	c.setMeta(metaMark)
	return err
}

// setPriority reads what follows "meta priority set".
func (c *compiler) setPriority() error {
	if w := c.line.peek(); w == "none" || w == "root" || strings.Contains(w, ":") {
		v, err := constant(nil, classID, c.line.next())
		c.immediate(v)
		c.setMeta(metaPriority)
		return err
	}
	return c.setFromMap(metaPriority, classID)
}

// setFromMap reads "CONCAT map @name".
func (c *compiler) setFromMap(key uint32, data kind) error {
	s, err := c.mapLookup()
	if err != nil {
		return err
	}
	if len(s.data) != 1 || s.data[0].kind != data {
		return fmt.Errorf("map %s has other data", s.Name)
	}
	c.setMeta(key)
	return nil
}

// mapLookup reads "CONCAT map @name": the data are in register 0 then.
func (c *compiler) mapLookup() (*Set, error) {
	list, err := c.line.concat()
	if err == nil {
		err = c.line.expect("map")
	}
	if err != nil {
		return nil, err
	}
	s, err := c.setNamed(c.line.next(), list)
	if err != nil {
		return nil, err
	}
	if !s.isMap() || s.verdicts() {
		return nil, fmt.Errorf("%s has no data to load", s.Name)
	}
	c.loadAll(list, 0, s.interval())
	c.lookup(s.Name, toRegister)
	return s, nil
}

// setNamed finds "@name" and compares its type.
func (c *compiler) setNamed(reference string, key []field) (*Set, error) {
	name, ok := strings.CutPrefix(reference, "@")
	s := c.table.sets[name]
	if !ok || s == nil {
		return nil, fmt.Errorf("no set %q before this rule", reference)
	}
	if len(s.key) != len(key) {
		return nil, fmt.Errorf("%s has another type", reference)
	}
	for i := range key {
		if s.key[i].kind != key[i].kind {
			return nil, fmt.Errorf("%s has another type", reference)
		}
	}
	return s, nil
}

func (c *compiler) dnatTo() error {
	s, err := c.mapLookup()
	if err != nil {
		return err
	}
	want := addr4
	if c.table.Family == IPv6 {
		want = addr6
	}
	if len(s.data) != 2 || s.data[0].kind != want || s.data[1].kind != port {
		return fmt.Errorf("map %s has no address and port", s.Name)
	}
	c.dnat(c.table.Family, want.words())
	return nil
}
