package live

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"slices"
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
	// means that an element was removed. It is empty until something needs it (index): a first apply
	// does not, nor what is only read.
	slots []uint32
	// runs find elements as long as there are no slots; nil if they cannot.
	runs *runs
	// told is whether any record has user data.
	told bool
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
	place, k, d := len(e.blob), len(r.key), len(r.data)
	n := k + 2 + d + 1 + len(r.udata)
	e.blob = slices.Grow(e.blob, n)[:place+n]
	b := e.blob[place:]
	copy(b, r.key)
	binary.NativeEndian.PutUint16(b[k:], uint16(d))
	copy(b[k+2:], r.data)
	b[k+2+d] = byte(len(r.udata))
	if len(r.udata) > 0 {
		copy(b[k+2+d+1:], r.udata)
		e.told = true
	}
	e.n++
	return uint32(place)
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

// twice returns a key that is there twice, or nil. Where keys count, it needs no index for that.
func (e *Elements) twice(counts bool) []byte {
	if counts {
		if e.runs = e.newRuns(); e.runs != nil {
			return nil
		}
	}
	return e.index()
}

// indexed makes the slots, unless they are there.
func (e *Elements) indexed() {
	if len(e.slots) == 0 {
		e.index()
	}
}

// index makes keys findable, and returns the first one that is there already; its second element is
// not found.
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
		for slots[i] != 0 && !bytes.Equal(e.keyAt(slots[i]-1), r.key) {
			i = (i + 1) & mask
		}
		switch {
		case slots[i] == 0:
			slots[i] = place + 1
		case twice == nil:
			twice = r.key
		}
		place = next
	}
	e.slots, e.used, e.runs = slots, e.n, nil
	return twice
}

// keyAt is the key of the record at a place.
func (e *Elements) keyAt(place uint32) []byte { return e.blob[place : int(place)+e.keyLen] }

// find returns the slot of a key.
func (e *Elements) find(key []byte) (slot int, ok bool) {
	if e.n == 0 {
		return 0, false
	}
	e.indexed()
	mask := uint64(len(e.slots) - 1)
	for i := maphash.Bytes(e.seed, key) & mask; e.slots[i] != 0; i = (i + 1) & mask {
		if e.slots[i] == gone {
			continue
		}
		if bytes.Equal(e.keyAt(e.slots[i]-1), key) {
			return int(i), true
		}
	}
	return 0, false
}

// get returns the record of a key.
func (e *Elements) get(key []byte) (record, bool) {
	if e.runs != nil {
		return e.runs.get(e, key)
	}
	i, ok := e.find(key)
	if !ok {
		return record{}, false
	}
	r, _ := e.at(e.slots[i] - 1)
	return r, true
}

// add inserts a record with a new key. It takes the slot of a removed
// element if it meets one: otherwise each replacement of one key would leave one more slot
// for every later search to pass.
func (e *Elements) add(r record) {
	e.indexed()
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

// remove deletes a key.
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
