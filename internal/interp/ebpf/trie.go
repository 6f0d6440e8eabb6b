package ebpf

import (
	"net/netip"
	"slices"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// trie emulates the kernel's LPM trie: it compares the bits of (set, address) up
// to an entry's prefix length, regardless of the family.
type trie struct {
	entries map[layout.PrefixKey]bool
	// lengths are the distinct prefix lengths of each set.
	lengths map[uint32][]uint32
}

func newTrie(m *image.Map) trie {
	t := trie{entries: make(map[layout.PrefixKey]bool, m.Len()), lengths: make(map[uint32][]uint32)}
	for i := range m.Len() {
		key := layout.DecodePrefixKey(m.Key(i))
		set := key.Set.Number()
		t.entries[key] = true
		if !slices.Contains(t.lengths[set], key.Bits) {
			t.lengths[set] = append(t.lengths[set], key.Bits)
		}
	}
	return t
}

// contains reports whether a prefix of the set covers the address. An invalid
// address is in no set.
func (t trie) contains(set uint32, a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	for _, bits := range t.lengths[set] {
		key := layout.PrefixKey{Bits: bits, Set: layout.BE32Of(set), Address: cut(layout.AddressOf(a), bits-layout.SetBits)}
		if t.entries[key] {
			return true
		}
	}
	return false
}

// cut clears all bits after the first ones.
func cut(a layout.Address, bits uint32) layout.Address {
	for i := range a {
		keep := min(max(int(bits)-8*i, 0), 8)
		a[i] &= ^byte(0) << (8 - keep)
	}
	return a
}
