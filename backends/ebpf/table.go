package ebpf

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sort"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Digest is a SHA-256.
type Digest = [layout.DigestSize]byte

// Map is one map of an image. Its entries are sorted by the bytes of their keys.
// The key of an array entry is its index, which is not stored.
type Map struct {
	layout layout.Map
	data   []byte
	digest Digest
}

// Layout returns the type and sizes of the map.
func (m *Map) Layout() layout.Map { return m.layout }

// Digest returns the SHA-256 of the entries in order, keys and values; for an
// array, of the values.
func (m *Map) Digest() Digest { return m.digest }

// Len returns the number of entries.
func (m *Map) Len() int { return len(m.data) / m.stride() }

// MaxEntries returns max_entries for the kernel's map: the exact number of
// entries, because none is ever added, but at least 1, which the kernel requires.
func (m *Map) MaxEntries() uint32 { return uint32(max(1, m.Len())) }

// Key returns the key of entry i, or nil for an array. Do not change it.
func (m *Map) Key(i int) []byte {
	at := i * m.stride()
	if m.isArray() {
		return nil
	}
	return m.data[at : at+int(m.layout.KeySize) : at+int(m.layout.KeySize)]
}

// Value returns the value of entry i. Do not change it.
func (m *Map) Value(i int) []byte {
	end := (i + 1) * m.stride()
	return m.data[end-int(m.layout.ValueSize) : end : end]
}

// Entries returns all entries in the form that the digest covers: key and value of
// each, or the values of an array. Do not change them.
func (m *Map) Entries() []byte { return m.data[:len(m.data):len(m.data)] }

func (m *Map) isArray() bool { return m.layout.Type == layout.Array }

// stride is the size of a stored entry.
func (m *Map) stride() int { return Stride(m.layout) }

// Stride returns the size of an entry of [Map.Entries], in bytes.
func Stride(l layout.Map) int {
	if l.Type == layout.Array {
		return int(l.ValueSize)
	}
	return int(l.KeySize + l.ValueSize)
}

// grow reserves room for n more entries.
func (m *Map) grow(n int) { m.data = slices.Grow(m.data, n*m.stride()) }

// sorted reports whether the keys ascend; if strictly is set, equal keys are not
// allowed.
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

// Sum returns the digest of a map with the given layout and entries, which may be
// in any order.
func Sum(l layout.Map, entries []byte) Digest {
	m := Map{layout: l, data: entries}
	m.sort()
	m.sum()
	return m.digest
}

// find returns the index of the entry with the key.
func (m *Map) find(key []byte) (int, bool) {
	return sort.Find(m.Len(), func(i int) int { return bytes.Compare(key, m.Key(i)) })
}
