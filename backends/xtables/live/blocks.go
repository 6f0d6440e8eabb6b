package live

import (
	"bytes"
	"hash/maphash"
)

// Differing returns the blocks of lines that only one of two texts has, in order.
// starts reports whether a line begins a block, where last is the previous line;
// the first line of a text always begins one.
func Differing(before, after []byte, starts func(last, line []byte) bool) (gone, come [][]byte) {
	if bytes.Equal(before, after) {
		return nil, nil
	}
	gone, come = blocks(before, starts), blocks(after, starts)
	for len(gone) > 0 && len(come) > 0 && bytes.Equal(gone[0], come[0]) {
		gone, come = gone[1:], come[1:]
	}
	for len(gone) > 0 && len(come) > 0 && bytes.Equal(gone[len(gone)-1], come[len(come)-1]) {
		gone, come = gone[:len(gone)-1], come[:len(come)-1]
	}
	return unmatched(gone, come)
}

// EveryLine makes each line a block.
func EveryLine(_, _ []byte) bool { return true }

func blocks(text []byte, starts func(last, line []byte) bool) [][]byte {
	var out [][]byte
	var last []byte
	start, at := 0, 0
	for line := range bytes.Lines(text) {
		if at > 0 && starts(last, line) {
			out = append(out, text[start:at])
			start = at
		}
		at, last = at+len(line), line
	}
	if at > start {
		out = append(out, text[start:at])
	}
	return out
}

// unmatched removes the elements that both lists contain, with multiplicity.
func unmatched(gone, come [][]byte) (onlyGone, onlyCome [][]byte) {
	seed := maphash.MakeSeed()
	// next links the blocks of one hash; a matched block is nil.
	first, next := make(map[uint64]int, len(gone)), make([]int, len(gone))
	for i, b := range gone {
		h := maphash.Bytes(seed, b)
		next[i], first[h] = first[h], i+1
	}
	for _, b := range come {
		i := first[maphash.Bytes(seed, b)]
		for i > 0 && !bytes.Equal(gone[i-1], b) {
			i = next[i-1]
		}
		if i > 0 {
			gone[i-1] = nil
			continue
		}
		onlyCome = append(onlyCome, b)
	}
	for _, b := range gone {
		if b != nil {
			onlyGone = append(onlyGone, b)
		}
	}
	return onlyGone, onlyCome
}
