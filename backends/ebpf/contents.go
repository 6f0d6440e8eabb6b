package ebpf

import (
	"bytes"
	"hash/maphash"
)

// contents finds parts of one piece of memory that are the same bytes. It keeps places alone:
// as keys of a map, all parts would be copied.
type contents struct {
	seed maphash.Seed
	// first is the last part of each hash, by its number plus 1, and next the one before it of
	// the same hash.
	first map[uint64]int32
	parts []part
}

// part is from one byte to another.
type part struct {
	from, to int
	next     int32
}

func newContents(n int) contents {
	return contents{seed: maphash.MakeSeed(), first: make(map[uint64]int32, n), parts: make([]part, 0, n)}
}

// put adds the part from a byte to the end, unless the same bytes are a part already. It returns
// where the part begins that has them.
func (c *contents) put(data []byte, from int) int {
	content := data[from:]
	sum := maphash.Bytes(c.seed, content)
	last := c.first[sum]
	for i := last; i > 0; i = c.parts[i-1].next {
		if p := c.parts[i-1]; bytes.Equal(data[p.from:p.to], content) {
			return p.from
		}
	}
	c.parts = append(c.parts, part{from, len(data), last})
	c.first[sum] = int32(len(c.parts))
	return from
}
