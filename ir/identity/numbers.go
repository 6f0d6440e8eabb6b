package identity

// Numbers gives numbers out, each once. The zero value has given out none.
type Numbers struct {
	// next is where to look on from a number that is taken, so that many equal
	// hashes, which anyone can make of 32 bits, cost no more than others.
	next map[uint32]uint32
}

// Free returns the number, or the next one that is free between first and last,
// going round: the same for the same numbers in the same order. One must be free.
func (n *Numbers) Free(number, first, last uint32) uint32 {
	if n.next == nil {
		n.next = make(map[uint32]uint32)
	}
	if number < first || number > last {
		number = first
	}
	at := number
	var passed []uint32
	for {
		next, taken := n.next[at]
		if !taken {
			break
		}
		passed = append(passed, at)
		at = next
	}
	after := at + 1
	if at == last {
		after = first
	}
	n.next[at] = after
	for _, p := range passed {
		n.next[p] = after
	}
	return at
}
