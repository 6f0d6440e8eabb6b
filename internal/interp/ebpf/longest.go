package ebpf

import (
	"encoding/binary"
	"slices"

	image "github.com/planec/planec/backends/ebpf"
)

// longest answers what an LPM trie of the kernel would, whatever its keys mean:
// of the entries whose first bits the key has, the value of the longest.
type longest struct {
	entries map[string]uint32
	// lengths are the distinct numbers of bits, the longest first.
	lengths []uint32
}

func newLongest(m *image.Map) longest {
	t := longest{entries: make(map[string]uint32, m.Len())}
	for i := range m.Len() {
		key := m.Key(i)
		t.entries[string(key)] = binary.LittleEndian.Uint32(m.Value(i))
		if bits := binary.LittleEndian.Uint32(key); !slices.Contains(t.lengths, bits) {
			t.lengths = append(t.lengths, bits)
		}
	}
	slices.Sort(t.lengths)
	slices.Reverse(t.lengths)
	return t
}

// find looks up a key as a program has it: a length, and after it the data of
// which as many bits count. It returns 0 where nothing matches, as a program
// would do.
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
