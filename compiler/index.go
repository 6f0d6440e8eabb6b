package compiler

import (
	"iter"
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
