package compiler

import (
	"encoding/binary"
	"iter"
	"maps"
	"net/netip"
	"slices"
)

// index finds Services by a value that nearly always belongs to a single one.
type index[K comparable] struct {
	// one has the Service of a value, or several.
	one map[K]uint32
	// more holds all Services of a value with several.
	more map[K][]uint32
}

const several = ^uint32(0)

func newIndex[K comparable](size int) index[K] {
	return index[K]{one: make(map[K]uint32, size), more: make(map[K][]uint32)}
}

func (x *index[K]) get(key K) []uint32 {
	k, ok := x.one[key]
	switch {
	case !ok:
		return nil
	case k == several:
		return x.more[key]
	}
	return []uint32{k}
}

// all yields each value with its Services.
func (x *index[K]) all() iter.Seq2[K, []uint32] {
	return func(yield func(K, []uint32) bool) {
		for key := range x.one {
			if !yield(key, x.get(key)) {
				return
			}
		}
	}
}

// set adds a Service to the value, or removes it.
func (x *index[K]) set(key K, k uint32, present bool) {
	if !present {
		x.remove(key, k)
		return
	}
	// A Service adds all its values at once, so this would be its last one.
	switch have, ok := x.one[key]; {
	case !ok:
		x.one[key] = k
	case have == several:
		if list := x.more[key]; list[len(list)-1] != k {
			x.more[key] = append(list, k)
		}
	case have != k:
		x.one[key], x.more[key] = several, []uint32{have, k}
	}
}

func (x *index[K]) remove(key K, k uint32) {
	left := slices.DeleteFunc(x.get(key), func(have uint32) bool { return have == k })
	delete(x.one, key)
	delete(x.more, key)
	switch len(left) {
	case 0:
	case 1:
		x.one[key] = left[0]
	default:
		x.one[key], x.more[key] = several, left
	}
}

// addresses finds Services by an address without a zone. Mapped addresses are not separate,
// because the compiler unmaps its input. Its tables are the largest of all, so those of IPv4
// have the smallest keys that there are.
type addresses struct {
	v4 index[uint32]
	v6 index[[16]byte]
}

// newAddresses has room for a number of IPv4 addresses; tables for IPv6 grow.
func newAddresses(size int) addresses {
	return addresses{v4: newIndex[uint32](size), v6: newIndex[[16]byte](0)}
}

func key4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func (x *addresses) get(a netip.Addr) []uint32 {
	if a.Is4() {
		return x.v4.get(key4(a))
	}
	return x.v6.get(a.As16())
}

// set adds a Service to the address, or removes it.
func (x *addresses) set(a netip.Addr, k uint32, present bool) {
	if a.Is4() {
		x.v4.set(key4(a), k, present)
		return
	}
	x.v6.set(a.As16(), k, present)
}

// several yields the Services of each address that has more than one.
func (x *addresses) several() iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		for list := range maps.Values(x.v4.more) {
			if !yield(list) {
				return
			}
		}
		for list := range maps.Values(x.v6.more) {
			if !yield(list) {
				return
			}
		}
	}
}

// all yields each address with its Services.
func (x *addresses) all() iter.Seq2[netip.Addr, []uint32] {
	return func(yield func(netip.Addr, []uint32) bool) {
		for key, list := range x.v4.all() {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], key)
			if !yield(netip.AddrFrom4(b), list) {
				return
			}
		}
		for key, list := range x.v6.all() {
			if !yield(netip.AddrFrom16(key), list) {
				return
			}
		}
	}
}
