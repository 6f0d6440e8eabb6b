package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// The parameters of FNV-1a of 32 bits.
const (
	fnvOffset = 2166136261
	fnvPrime  = 16777619
)

// namer hashes the IDs of the address sets of a class, each followed by a
// zero byte, with 32-bit FNV-1a. The sets of a class form a tree that shares
// parts with other classes, and each part is hashed only once.
//
// This is possible because a byte b changes h to (h^b)·p, which is h·p plus a
// number that depends only on the last byte of h; the same holds for the last byte
// of the result. So any text of n bytes changes h to h·pⁿ plus one of 256 numbers.
type namer struct {
	*forest
	sets  []ir.AddressSet
	parts []part
}

// part is the known state of the text of a set of address sets.
type part struct {
	asked uint8
	// power is pⁿ for the n bytes of the text. It is odd, and 0 means unknown.
	power uint32
	// plus is the added number for each last byte, as far as it was computed.
	plus *[256]struct {
		known bool
		value uint32
	}
}

// oftenAsked is the number of requests after which a part's hash is stored.
const oftenAsked = 3

// hash returns the hash of a text with hash h, followed by the text of the set.
func (n *namer) hash(set setID, h uint32) uint32 {
	if set == 0 {
		return h
	}
	p := &n.parts[set]
	if p.asked < oftenAsked {
		p.asked++
		return n.calculate(set, h)
	}
	if p.plus == nil {
		p.power, p.plus = n.power(set), new([256]struct {
			known bool
			value uint32
		})
	}
	plus := &p.plus[byte(h)]
	if !plus.known {
		plus.known, plus.value = true, n.calculate(set, h)-p.power*h
	}
	return p.power*h + plus.value
}

func (n *namer) calculate(set setID, h uint32) uint32 {
	if int(set) > len(n.sets) {
		halves := n.nodes[set]
		return n.hash(halves[1], n.hash(halves[0], h))
	}
	for _, b := range []byte(n.sets[set-1].ID) {
		h = (h ^ uint32(b)) * fnvPrime
	}
	return h * fnvPrime
}

func (n *namer) power(set setID) uint32 {
	if set == 0 {
		return 1
	}
	p := &n.parts[set]
	switch {
	case p.power != 0:
	case int(set) > len(n.sets):
		p.power = n.power(n.nodes[set][0]) * n.power(n.nodes[set][1])
	default:
		p.power = fnvPrime
		for range len(n.sets[set-1].ID) {
			p.power *= fnvPrime
		}
	}
	return p.power
}

// ids assigns each class its ID; classes are sets of a forest. If hashes collide, the
// class whose sets sort first keeps the hash, and the other gets the next number.
func (b *builder) ids(classes []setID) []uint32 {
	order := make([]int, len(classes))
	for i := range order {
		order[i] = i
	}
	// Sets are sorted by ID, so comparing indexes compares IDs.
	slices.SortFunc(order, func(x, y int) int { return b.forest.compare(classes[x], classes[y]) })
	n := namer{forest: b.forest, sets: b.sets, parts: make([]part, len(b.forest.nodes))}
	ids, free := make([]uint32, len(classes)), nextFree{0: 1}
	for _, i := range order {
		ids[i] = free.take(n.hash(classes[i], fnvOffset))
	}
	return ids
}

// nextFree maps each taken number to the next candidate.
type nextFree map[uint32]uint32

// take takes the number, or the next free one.
func (f nextFree) take(id uint32) uint32 {
	var passed []uint32
	for {
		next, taken := f[id]
		if !taken {
			break
		}
		passed = append(passed, id)
		id = next
	}
	f[id] = id + 1
	for _, p := range passed {
		f[p] = id + 1
	}
	return id
}

// orderClasses sorts the classes by ID and returns the position of each.
func (b *builder) orderClasses(classes []setID, ids []uint32) []int32 {
	order, places := make([]int, len(ids)), make([]int32, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(ids[x], ids[y]) })
	b.out.Classes = make([]Class, 0, len(ids))
	for place, i := range order {
		b.out.Classes, places[i] = append(b.out.Classes, Class{ID: ids[i], set: classes[i], forest: b.forest, sets: b.sets}), int32(place)
	}
	return places
}
