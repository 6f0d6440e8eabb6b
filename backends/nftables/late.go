package nftables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/ir"
)

// late are elements that are written when the file is.
type late struct {
	// addresses are elements as far as they are of the table's family.
	addresses []netip.Addr
	// verdicts and pooled are elements of frontends, and near the endpoints of pooled, one after the other.
	verdicts []verdictOf
	pooled   []pooled
	near     []endpoint4
}

// lately returns the late elements of a set.
func (s *set) lately() *late {
	if s.late == nil {
		s.late = new(late)
	}
	return s.late
}

func (l *late) appendTo(b []byte, t *table) []byte {
	for _, a := range l.addresses {
		if ir.FamilyOf(a) == t.ir {
			b = append(a.AppendTo(append(b, elemIndent...)), elemEnd...)
		}
	}
	for _, v := range l.verdicts {
		b = t.appendVerdict(b, v)
	}
	near := l.near
	for _, p := range l.pooled {
		b = t.appendPooled(b, p, near[:p.near])
		near = near[p.near:]
	}
	return b
}

// pooled is a frontend with the endpoints of a pool, as places in the program: elements of a set
// that are written when the file is. They are most of it.
type pooled struct {
	frontend, pool int32
	// near is how many of [late.near] are the pool's endpoints; 0 means that only the program has them.
	near int32
}

// endpoint4 is an endpoint of IPv4. A program has each on a line of the processor's cache of its own, where it
// would have to be looked for again when the file is written.
type endpoint4 struct {
	address [4]byte
	port    uint16
}

// appendNear notes the endpoints of a pool and returns how many they are: none if one is of IPv6.
func (l *late) appendNear(c *choice) int32 {
	before := len(l.near)
	for i := range c.slots {
		a := c.endpoint(i)
		if !a.Addr().Is4() {
			l.near = l.near[:before]
			break
		}
		l.near = append(l.near, endpoint4{a.Addr().As4(), a.Port()})
	}
	return int32(len(l.near) - before)
}

// appendPooled writes the elements of a frontend and a pool.
func (t *table) appendPooled(b []byte, p pooled, near []endpoint4) []byte {
	f := &t.program.Frontends[p.frontend]
	c, _ := t.pools.at(int(p.pool))
	var first, last [160]byte
	key := append(t.appendKey(append(first[:0], elemIndent...), f), " . "...)
	comment := append(t.comment(last[:0], f), " : "...)
	for i := range c.slots {
		b = appendNumber(append(b, key...), uint32(i))
		b = append(b, comment...)
		if len(near) > 0 {
			b = near[i].appendTo(b)
		} else {
			b = appendEndpoint(b, c.endpoint(i))
		}
		b = append(b, elemEnd...)
	}
	return b
}

// appendTo is [appendEndpoint].
func (e *endpoint4) appendTo(b []byte) []byte {
	for i, octet := range e.address {
		if i > 0 {
			b = append(b, '.')
		}
		b = appendNumber(b, uint32(octet))
	}
	return appendNumber(append(b, " . "...), uint32(e.port))
}

// appendNumber appends a number in decimal; most have few digits.
func appendNumber(b []byte, n uint32) []byte {
	switch {
	case n < 10:
		return append(b, byte('0'+n))
	case n < 100:
		return append(b, byte('0'+n/10), byte('0'+n%10))
	case n < 1000:
		return append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	case n < 10000:
		return append(b, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// verdictOf is a frontend with what is done with its packets, as places in the program and in the
// table's verdicts: an element that is written when the file is.
type verdictOf struct{ frontend, verdict int32 }

func (t *table) appendVerdict(b []byte, v verdictOf) []byte {
	f := &t.program.Frontends[v.frontend]
	b = t.comment(t.appendKey(append(b, elemIndent...), f), f)
	b = append(append(b, " : "...), t.verdicts[v.verdict]...)
	return append(b, elemEnd...)
}

// commentLen is how much [table.comment] appends.
func (t *table) commentLen(f *ir.Frontend) int {
	if !t.comments {
		return 0
	}
	var room [160]byte
	return len(t.comment(room[:0], f))
}

// endpointLen is how much [appendEndpoint] appends, at most.
func (t *table) endpointLen(a netip.AddrPort) int {
	return t.addressLen(a.Addr()) + len(" . ") + digits(uint32(a.Port()))
}

// addressLen is the length of an address as text, of IPv6 at most.
func (t *table) addressLen(a netip.Addr) int {
	if !a.Is4() {
		return t.longest
	}
	n := len("0.0.0.0")
	for _, octet := range a.As4() {
		if octet >= 10 {
			n++
		}
		if octet >= 100 {
			n++
		}
	}
	return n
}

// digits is how many decimal digits a number has.
func digits(n uint32) int {
	count := 1
	for ; n >= 10; n /= 10 {
		count++
	}
	return count
}

// digitsBelow is how many digits the numbers from 0 to n-1 have together.
func digitsBelow(n int) int {
	sum := n
	for power := 10; power < n; power *= 10 {
		sum += n - power
	}
	return sum
}
