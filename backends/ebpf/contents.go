package ebpf

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// contents finds parts of one piece of memory that are the same bytes. It keeps places alone:
// as keys of a map, all parts would be copied.
type contents struct {
	seed maphash.Seed
	// table has the numbers of parts plus 1, at the place of their hash or the next free one; 0
	// is free. It is never more than half full.
	table []uint32
	parts []part
}

// part is from one byte to another.
type part struct{ from, to int }

// newContents has room for n parts; more make it grow.
func newContents(n int) contents {
	return contents{seed: maphash.MakeSeed(), table: newTable(n), parts: make([]part, 0, n)}
}

// newTable is a table that n parts fill up to the half.
func newTable(n int) []uint32 { return make([]uint32, 1<<bits.Len(uint(2*max(n, 4)-1))) }

// put adds the part from a byte to the end, unless the same bytes are a part already. It returns
// where the part begins that has them.
func (c *contents) put(data []byte, from int) int {
	if 2*(len(c.parts)+1) > len(c.table) {
		c.grow(data)
	}
	content := data[from:]
	at := c.find(data, content)
	if n := c.table[at]; n != 0 {
		return c.parts[n-1].from
	}
	c.parts = append(c.parts, part{from, len(data)})
	c.table[at] = uint32(len(c.parts))
	return from
}

// find returns the place in the table of the part with these bytes, or the free place where it belongs.
func (c *contents) find(data, content []byte) uint64 {
	mask := uint64(len(c.table) - 1)
	at := maphash.Bytes(c.seed, content) & mask
	for ; c.table[at] != 0; at = (at + 1) & mask {
		if p := c.parts[c.table[at]-1]; bytes.Equal(data[p.from:p.to], content) {
			break
		}
	}
	return at
}

func (c *contents) grow(data []byte) {
	c.table = newTable(2 * len(c.parts))
	for i, p := range c.parts {
		c.table[c.find(data, data[p.from:p.to])] = uint32(i + 1)
	}
}
