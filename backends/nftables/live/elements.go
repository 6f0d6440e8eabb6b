package live

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"iter"
)

// Elements are the elements of one set, in one piece of memory because there are
// hundreds of thousands of them. A record is the key (fixed length), a 16-bit
// length and the data, an 8-bit length and the user data. The data of a verdict
// are its code, big endian, and the name of the chain.
type Elements struct {
	keyLen int
	blob   []byte
	n      int
	// slots is a hash table of places in blob, plus 1; 0 means free, and gone
	// means that an element was removed. It is empty until index is called.
	slots []uint32
	// dead counts the bytes of removed records in blob, used the slots that are
	// not free.
	dead, used int
	seed       maphash.Seed
}

const gone = ^uint32(0)

// record is one element. Its slices are read-only.
type record struct{ key, data, udata []byte }

// same reports whether both have the same data and comment.
func (r record) same(o record) bool {
	return bytes.Equal(r.data, o.data) && bytes.Equal(r.udata, o.udata)
}

// Len returns the number of elements.
func (e *Elements) Len() int { return e.n }

// shared reports whether both use the same memory.
func (e *Elements) shared(o *Elements) bool {
	return len(e.blob) > 0 && len(e.blob) == len(o.blob) && &e.blob[0] == &o.blob[0] && e.n == o.n
}

// at returns the record at a place and the place after it.
func (e *Elements) at(place uint32) (r record, next uint32) {
	b := e.blob[place:]
	k := e.keyLen
	d := k + 2
	u := d + int(binary.NativeEndian.Uint16(b[k:]))
	end := u + 1 + int(b[u])
	return record{key: b[:k], data: b[d:u], udata: b[u+1 : end]}, place + uint32(end)
}

// append adds a record without a check for its key, and returns its place.
func (e *Elements) append(r record) uint32 {
	place := uint32(len(e.blob))
	e.blob = append(e.blob, r.key...)
	e.blob = binary.NativeEndian.AppendUint16(e.blob, uint16(len(r.data)))
	e.blob = append(e.blob, r.data...)
	e.blob = append(e.blob, byte(len(r.udata)))
	e.blob = append(e.blob, r.udata...)
	e.n++
	return place
}

// all yields the places of all records in insertion order. Before any removal
// that is every record of blob; afterwards the index tells which records are
// still there.
func (e *Elements) all() iter.Seq2[uint32, record] {
	return e.within(span{end: uint32(len(e.blob))})
}

// within is all of a part.
func (e *Elements) within(part span) iter.Seq2[uint32, record] {
	return func(yield func(uint32, record) bool) {
		for place := part.begin; place < part.end; {
			r, next := e.at(place)
			if e.dead == 0 || e.lives(place, r.key) {
				if !yield(place, r) {
					return
				}
			}
			place = next
		}
	}
}

// lives reports whether the index refers to this place.
func (e *Elements) lives(place uint32, key []byte) bool {
	i, ok := e.find(key)
	return ok && e.slots[i]-1 == place
}

// index makes keys findable. It must be called before a removal, and returns the
// first duplicate key.
func (e *Elements) index() (twice []byte) {
	e.seed = maphash.MakeSeed()
	size := 8
	for size < 2*e.n {
		size *= 2
	}
	slots := make([]uint32, size)
	mask := uint64(size - 1)
	for place := uint32(0); int(place) < len(e.blob); {
		r, next := e.at(place)
		i := maphash.Bytes(e.seed, r.key) & mask
		for ; slots[i] != 0; i = (i + 1) & mask {
			if old := slots[i] - 1; bytes.Equal(e.blob[old:int(old)+e.keyLen], r.key) {
				return r.key
			}
		}
		slots[i] = place + 1
		place = next
	}
	e.slots, e.used = slots, e.n
	return nil
}

// find returns the slot of a key.
func (e *Elements) find(key []byte) (slot int, ok bool) {
	if len(e.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(e.slots) - 1)
	for i := maphash.Bytes(e.seed, key) & mask; e.slots[i] != 0; i = (i + 1) & mask {
		if e.slots[i] == gone {
			continue
		}
		if at := e.slots[i] - 1; bytes.Equal(e.blob[at:int(at)+e.keyLen], key) {
			return int(i), true
		}
	}
	return 0, false
}

// get returns the record of a key.
func (e *Elements) get(key []byte) (record, bool) {
	i, ok := e.find(key)
	if !ok {
		return record{}, false
	}
	r, _ := e.at(e.slots[i] - 1)
	return r, true
}

// add inserts a record with a new key into an indexed set. It takes the slot of a removed
// element if it meets one: otherwise each replacement of one key would leave one more slot
// for every later search to pass.
func (e *Elements) add(r record) {
	if 4*(e.used+1) > 3*len(e.slots) {
		e.compact()
	}
	place := e.append(r)
	mask := uint64(len(e.slots) - 1)
	i := maphash.Bytes(e.seed, r.key) & mask
	for e.slots[i] != 0 && e.slots[i] != gone {
		i = (i + 1) & mask
	}
	if e.slots[i] == 0 {
		e.used++
	}
	e.slots[i] = place + 1
}

// remove deletes a key from an indexed set.
func (e *Elements) remove(key []byte) {
	i, ok := e.find(key)
	if !ok {
		return
	}
	place := e.slots[i] - 1
	_, next := e.at(place)
	e.slots[i] = gone
	e.dead += int(next - place)
	e.n--
	if e.dead > 4096 && 2*e.dead > len(e.blob) {
		e.compact()
	}
}

// compact drops removed records and rebuilds the index with spare room. It is
// called after a number of changes in proportion to the size.
func (e *Elements) compact() {
	live := Elements{keyLen: e.keyLen, blob: make([]byte, 0, len(e.blob)-e.dead)}
	for _, r := range e.all() {
		live.append(r)
	}
	live.index()
	*e = live
}
