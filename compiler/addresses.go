package compiler

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
)

// addresses finds Services by an address without a zone. Mapped addresses are not separate,
// because the compiler unmaps its input.
type addresses struct {
	v4 index4
	v6 index[[16]byte]
}

// newAddresses has room for a number of IPv4 addresses; the table for IPv6 grows.
func newAddresses(size int) addresses {
	return addresses{v4: newIndex4(size), v6: newIndex[[16]byte](0)}
}

// settle must follow the Services that are there at first.
func (x *addresses) settle() { x.v4.settle() }

func (x *addresses) get(a netip.Addr) []uint32 {
	if a.Is4() {
		return x.v4.get(key4(a))
	}
	return x.v6.get(a.As16())
}

// has reports whether the address has Services.
func (x *addresses) has(a netip.Addr) bool {
	if a.Is4() {
		return x.v4.has(key4(a))
	}
	return len(x.v6.get(a.As16())) > 0
}

// set adds a Service to the address, or removes it.
func (x *addresses) set(a netip.Addr, k uint32, present bool) {
	if a.Is4() {
		x.v4.set(key4(a), k, present)
		return
	}
	x.v6.set(a.As16(), k, present)
}

// all yields each address that has at least so many Services, which are not 0, with these.
func (x *addresses) all(least int) iter.Seq2[netip.Addr, []uint32] {
	return func(yield func(netip.Addr, []uint32) bool) {
		for key, list := range x.v4.all(least) {
			if !yield(addr4(key), list) {
				return
			}
		}
		for key, list := range x.v6.all() {
			if len(list) >= least && !yield(netip.AddrFrom16(key), list) {
				return
			}
		}
	}
}

func key4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func addr4(key uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], key)
	return netip.AddrFrom4(b)
}

// index4 finds Services by an IPv4 address. A start fills it with every endpoint of the cluster:
// to sort them takes a tenth of the time that a map takes, and half of its memory. Changes
// go into a map beside them.
type index4 struct {
	// first are the addresses (upper half) and numbers (lower half) of a moment, sorted.
	first []uint64
	// changed are all Services of the addresses that have changed since then; nil before settle.
	changed map[uint32][]uint32
}

func newIndex4(size int) index4 { return index4{first: make([]uint64, 0, size)} }

// settle ends the beginning, in which Services are only added, and nothing is asked.
func (x *index4) settle() {
	slices.Sort(x.first)
	x.first = slices.Compact(x.first)
	x.changed = make(map[uint32][]uint32)
}

// end is where the entries of the address end that begin at a place.
func (x *index4) end(from int) int {
	to := from + 1
	for to < len(x.first) && x.first[to]>>32 == x.first[from]>>32 {
		to++
	}
	return to
}

func (x *index4) get(key uint32) []uint32 {
	if list, is := x.changed[key]; is {
		return list
	}
	if from, there := x.find(key); there {
		return numbersOf(x.first[from:x.end(from)])
	}
	return nil
}

// has reports whether the address has Services, however many.
func (x *index4) has(key uint32) bool {
	if list, is := x.changed[key]; is {
		return len(list) > 0
	}
	_, there := x.find(key)
	return there
}

// find returns where the entries of an address begin in first.
func (x *index4) find(key uint32) (from int, there bool) {
	from, _ = slices.BinarySearch(x.first, uint64(key)<<32)
	return from, from < len(x.first) && uint32(x.first[from]>>32) == key
}

func numbersOf(run []uint64) []uint32 {
	list := make([]uint32, len(run))
	for i, v := range run {
		list[i] = uint32(v)
	}
	return list
}

func (x *index4) set(key, k uint32, present bool) {
	if x.changed == nil {
		x.first = append(x.first, uint64(key)<<32|uint64(k))
		return
	}
	list := x.get(key)
	at := slices.Index(list, k)
	switch {
	case present && at < 0:
		x.changed[key] = append(list, k)
	case !present && at >= 0:
		x.changed[key] = slices.Delete(list, at, at+1)
	}
	// So many changes cost more memory than to begin again costs time.
	if len(x.changed) > len(x.first)/4+1024 {
		x.restart()
	}
}

// restart makes first what there is now.
func (x *index4) restart() {
	fresh := newIndex4(len(x.first) + len(x.changed))
	for key, list := range x.all(1) {
		for _, k := range list {
			fresh.set(key, k, true)
		}
	}
	fresh.settle()
	*x = fresh
}

// all yields each address that has at least so many Services, which are not 0, with these.
func (x *index4) all(least int) iter.Seq2[uint32, []uint32] {
	return func(yield func(uint32, []uint32) bool) {
		for from, to := 0, 0; from < len(x.first); from = to {
			key := uint32(x.first[from] >> 32)
			if to = x.end(from); to-from < least {
				continue
			}
			if _, is := x.changed[key]; !is && !yield(key, numbersOf(x.first[from:to])) {
				return
			}
		}
		for key, list := range x.changed {
			if len(list) >= least && !yield(key, list) {
				return
			}
		}
	}
}
