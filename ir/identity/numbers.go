package identity

// Numbers assigns each number once. The zero value has assigned none.
type Numbers struct {
	// next is the first candidate after a taken number. It keeps the cost low if
	// many 32-bit hashes collide, which an attacker can provoke.
	next map[uint32]uint32
}

// Free returns the number, or cyclically the next free one between first and last.
// The result depends only on the sequence of calls. One number must be free.
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
