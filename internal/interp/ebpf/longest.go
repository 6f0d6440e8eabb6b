package ebpf

import (
	"encoding/binary"
	"slices"

	image "github.com/planec/planec/backends/ebpf"
)

// longest emulates the kernel's LPM trie for any key type: it returns the value of
// the longest entry that is a prefix of the key.
type longest struct {
	entries map[string]uint32
	// lengths are the distinct prefix lengths, the longest first.
	lengths []uint32
}

func newLongest(m *image.Map) longest {
	return newLongestOf(m, func(i int) uint32 { return binary.LittleEndian.Uint32(m.Value(i)) })
}

// newLongestOf has what the function returns of each entry as its value.
func newLongestOf(m *image.Map, value func(i int) uint32) longest {
	t := longest{entries: make(map[string]uint32, m.Len())}
	for i := range m.Len() {
		key := m.Key(i)
		t.entries[string(key)] = value(i)
		if bits := binary.LittleEndian.Uint32(key); !slices.Contains(t.lengths, bits) {
			t.lengths = append(t.lengths, bits)
		}
	}
	slices.Sort(t.lengths)
	slices.Reverse(t.lengths)
	return t
}

// find looks up a key in a program's format: a length in bits, followed by that
// many bits of data. It returns 0 if no entry matches, as a program would.
func (t longest) find(key []byte) uint32 {
	most := binary.LittleEndian.Uint32(key)
	try := make([]byte, len(key))
	for _, bits := range t.lengths {
		if bits > most {
			continue
		}
		binary.LittleEndian.PutUint32(try, bits)
		for i := range try[4:] {
			keep := min(max(int(bits)-8*i, 0), 8)
			try[4+i] = key[4+i] & (^byte(0) << (8 - keep))
		}
		if value, found := t.entries[string(try)]; found {
			return value
		}
	}
	return 0
}
