package ebpf

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Digest is a SHA-256.
type Digest = [layout.DigestSize]byte

// Map is one map of an image. Its entries are in the order of the bytes of their
// keys; those of an array have their index for a key, which is not stored.
type Map struct {
	layout layout.Map
	data   []byte
	digest Digest
}

// Layout says what the map is.
func (m *Map) Layout() layout.Map { return m.layout }

// Digest is the SHA-256 of the entries, keys and values, in their order; for an
// array of its values.
func (m *Map) Digest() Digest { return m.digest }

// Len is the number of entries.
func (m *Map) Len() int { return len(m.data) / m.stride() }

// MaxEntries is what the kernel's map is made with: no room to spare, because
// nothing is ever added, and at least 1, because the kernel wants that.
func (m *Map) MaxEntries() uint32 { return uint32(max(1, m.Len())) }

// Key returns the key of entry i, which must not be changed; nil for an array.
func (m *Map) Key(i int) []byte {
	at := i * m.stride()
	if m.isArray() {
		return nil
	}
	return m.data[at : at+int(m.layout.KeySize) : at+int(m.layout.KeySize)]
}

// Value returns the value of entry i, which must not be changed.
func (m *Map) Value(i int) []byte {
	end := (i + 1) * m.stride()
	return m.data[end-int(m.layout.ValueSize) : end : end]
}

// Entries returns all entries as they are digested: key and value of each, or
// the values of an array. They must not be changed.
func (m *Map) Entries() []byte { return m.data[:len(m.data):len(m.data)] }

func (m *Map) isArray() bool { return m.layout.Type == layout.Array }

// stride is the size of a stored entry.
func (m *Map) stride() int { return Stride(m.layout) }

// Stride is the size of an entry as [Map.Entries] has it, in bytes.
func Stride(l layout.Map) int {
	if l.Type == layout.Array {
		return int(l.ValueSize)
	}
	return int(l.KeySize + l.ValueSize)
}

// grow makes room for n more entries.
func (m *Map) grow(n int) { m.data = slices.Grow(m.data, n*m.stride()) }

// sorted reports whether every key is after the one before, or (not strictly)
// equal to it.
func (m *Map) sorted(strictly bool) bool {
	for i := 1; i < m.Len(); i++ {
		c := bytes.Compare(m.Key(i-1), m.Key(i))
		if c > 0 || strictly && c == 0 {
			return false
		}
	}
	return true
}

func (m *Map) sum() { m.digest = sha256.Sum256(m.data) }

// Sum returns the digest that a map of the layout has with these entries, given
// in any order.
func Sum(l layout.Map, entries []byte) Digest {
	m := Map{layout: l, data: entries}
	m.sort()
	m.sum()
	return m.digest
}

// find returns the entry with the key.
func (m *Map) find(key []byte) (int, bool) {
	low, high := 0, m.Len()
	for low < high {
		mid := int(uint(low+high) / 2)
		switch c := bytes.Compare(m.Key(mid), key); {
		case c == 0:
			return mid, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return 0, false
}
