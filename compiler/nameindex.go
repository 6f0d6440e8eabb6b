package compiler

import (
	"hash/maphash"

	"github.com/planec/planec/compiler/objects"
)

// nameIndex finds numbers by names. It does not hold the names, as a map would, with two strings
// each that the collector looks at: who asks for a name knows what its number stands for, and
// compares. A name may have several numbers.
type nameIndex struct {
	// seed keeps those who choose names from choosing what they collide with.
	seed maphash.Seed
	// slots are an open table: the hash of a name in the upper half, and 1 + its number in the
	// lower one; 0 is a free slot. Its length is a power of two.
	slots []uint64
	used  int
}

// newNameIndex has room for so many numbers.
func newNameIndex(size int) nameIndex {
	n := 8
	for size > room(n) {
		n *= 2
	}
	return nameIndex{seed: maphash.MakeSeed(), slots: make([]uint64, n)}
}

// room is how many of the slots may be used, so that runs of used ones stay short.
func room(slots int) int { return slots / 4 * 3 }

// hash is what the other methods take for a name.
func (x *nameIndex) hash(n objects.Name) uint32 { return uint32(maphash.Comparable(x.seed, n)) }

func slotOf(hash, k uint32) uint64 { return uint64(hash)<<32 | (uint64(k) + 1) }

// home is where the search for a hash begins.
func (x *nameIndex) home(hash uint32) int { return int(hash) & (len(x.slots) - 1) }

func (x *nameIndex) after(i int) int { return (i + 1) & (len(x.slots) - 1) }

// find returns a number of the name with the hash. Other names may have this hash, so is must report
// whether a number stands for the name.
func (x *nameIndex) find(hash uint32, is func(k uint32) bool) (k uint32, there bool) {
	for i := x.home(hash); x.slots[i] != 0; i = x.after(i) {
		if have := x.slots[i]; uint32(have>>32) == hash && is(uint32(have)-1) {
			return uint32(have) - 1, true
		}
	}
	return 0, false
}

// add gives the name one more number.
func (x *nameIndex) add(hash, k uint32) {
	if x.used == room(len(x.slots)) {
		x.grow()
	}
	x.used++
	x.put(slotOf(hash, k))
}

func (x *nameIndex) put(slot uint64) {
	i := x.home(uint32(slot >> 32))
	for x.slots[i] != 0 {
		i = x.after(i)
	}
	x.slots[i] = slot
}

func (x *nameIndex) grow() {
	old := x.slots
	x.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			x.put(slot)
		}
	}
}

// remove takes back what add did once, with the same hash and number.
func (x *nameIndex) remove(hash, k uint32) {
	slot := slotOf(hash, k)
	i := x.home(hash)
	for x.slots[i] != slot {
		if x.slots[i] == 0 {
			return
		}
		i = x.after(i)
	}
	x.used--
	// What follows moves up where a search would end too early else.
	for next := x.after(i); x.slots[next] != 0; next = x.after(next) {
		mask := len(x.slots) - 1
		if (next-x.home(uint32(x.slots[next]>>32)))&mask >= (next-i)&mask {
			x.slots[i], i = x.slots[next], next
		}
	}
	x.slots[i] = 0
}
