package live

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// countLen is the length of a key's last field where that counts ([nft.Index]).
const countLen = 4

// run are elements that follow each other, whose keys have one beginning and end with successive
// numbers, and whose records have one length: nearly always the endpoints of one frontend.
type run struct {
	begin, n uint32 // the place of the first, and how many there are
}

// runs find elements by the beginnings of their keys, of which there are few. They need a quarter of
// the time and the memory of an index, but they cannot be changed.
type runs struct {
	list []run
	// slots is a hash table of indexes in list, plus 1; 0 means free.
	slots []uint32
	seed  maphash.Seed
}

// newRuns divides elements whose keys end with a number. It returns nil if the keys with one beginning are
// more than one run: then only an index tells whether one of them is there twice.
func (e *Elements) newRuns() *runs {
	if e.keyLen <= countLen || e.dead > 0 {
		return nil
	}
	x := &runs{seed: maphash.MakeSeed(), list: e.successive()}
	size := 8
	for size < 2*len(x.list) {
		size *= 2
	}
	x.slots = make([]uint32, size)
	for i := range x.list {
		slot, there := x.find(e, e.head(x.list[i].begin))
		if there {
			return nil
		}
		x.slots[slot] = uint32(i) + 1
	}
	return x
}

// successive returns the runs in the order of the elements.
func (e *Elements) successive() []run {
	list := make([]run, 0, e.n/4) // a frontend has five endpoints or so
	var head []byte
	count, size := uint32(0), uint32(0)
	for place := uint32(0); int(place) < len(e.blob); {
		r, next := e.at(place)
		n := binary.NativeEndian.Uint32(r.key[e.keyLen-countLen:])
		if len(list) > 0 && n == count+1 && n != 0 && next-place == size && bytes.Equal(r.key[:e.keyLen-countLen], head) {
			list[len(list)-1].n++
		} else {
			list = append(list, run{place, 1})
			head, size = r.key[:e.keyLen-countLen], next-place
		}
		count, place = n, next
	}
	return list
}

// head is the beginning of the key at a place.
func (e *Elements) head(place uint32) []byte {
	return e.blob[place : int(place)+e.keyLen-countLen]
}

// find returns the slot of the run of a beginning, or the one where it would be.
func (x *runs) find(e *Elements, head []byte) (slot int, ok bool) {
	mask := uint64(len(x.slots) - 1)
	i := maphash.Bytes(x.seed, head) & mask
	for ; x.slots[i] != 0; i = (i + 1) & mask {
		if bytes.Equal(e.head(x.list[x.slots[i]-1].begin), head) {
			return int(i), true
		}
	}
	return int(i), false
}

// get returns the record of a key.
func (x *runs) get(e *Elements, key []byte) (record, bool) {
	slot, ok := x.find(e, key[:e.keyLen-countLen])
	if !ok {
		return record{}, false
	}
	is := x.list[x.slots[slot]-1]
	first, next := e.at(is.begin)
	number := func(key []byte) uint32 { return binary.NativeEndian.Uint32(key[e.keyLen-countLen:]) }
	n := number(key) - number(first.key)
	if n >= is.n {
		return record{}, false
	}
	r, _ := e.at(is.begin + n*(next-is.begin))
	return r, true
}

// divide is that of the elements, without a look at each.
func (x *runs) divide(e *Elements, sizes []int) []span {
	var parts []span
	part, n := span{}, 0
	for _, is := range x.list {
		for left := int(is.n); left > 0; {
			if n == sizes[len(parts)] {
				_, next := e.at(is.begin)
				part.end = is.begin + (is.n-uint32(left))*(next-is.begin)
				parts = append(parts, part)
				part = span{begin: part.end}
			}
			more := min(left, sizes[len(parts)]-n)
			part.n += more
			n += more
			left -= more
		}
	}
	part.end = uint32(len(e.blob))
	return append(parts, part)
}
