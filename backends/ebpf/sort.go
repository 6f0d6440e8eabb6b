package ebpf

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// sortRow represents an entry during sorting: the first eight bytes of its key
// after the common prefix, as a number, and its position.
type sortRow struct {
	head uint64
	at   int32
}

// sort sorts the entries by key. Most keys share their first bytes (::ffff:10.96),
// so it skips the common prefix; the next eight bytes then nearly always decide
// the comparison.
func (m *Map) sort() {
	if m.isArray() || m.sorted(false) {
		return
	}
	common := m.commonPrefix()
	rows := make([]sortRow, m.Len())
	for i := range rows {
		var head [8]byte
		copy(head[:], m.Key(i)[common:])
		rows[i] = sortRow{binary.BigEndian.Uint64(head[:]), int32(i)}
	}
	slices.SortFunc(rows, func(a, b sortRow) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return bytes.Compare(m.Key(int(a.at)), m.Key(int(b.at)))
	})
	out := make([]byte, 0, len(m.data))
	for _, r := range rows {
		out = append(out, m.data[int(r.at)*m.stride():(int(r.at)+1)*m.stride()]...)
	}
	m.data = out
}

// commonPrefix returns the number of bytes with which all keys start.
func (m *Map) commonPrefix() int {
	first := m.Key(0)
	n := len(first)
	for i := 1; i < m.Len(); i++ {
		key := m.Key(i)
		for j := range n {
			if key[j] != first[j] {
				n = j
				break
			}
		}
	}
	return n
}
