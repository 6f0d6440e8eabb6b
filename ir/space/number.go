package space

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Number is the value of a field: 128 bits, so that every field has one type. An IPv4
// address has 32 of them; a name of an interface is its bytes, filled up with zeros.
type Number struct{ Hi, Lo uint64 }

// N returns a small number.
func N(n uint64) Number { return Number{Lo: n} }

// Highest is the highest number of n bits, 1 to 128.
func Highest(n int) Number {
	if n <= 64 {
		return Number{Lo: ^uint64(0) >> (64 - n)}
	}
	return Number{Hi: ^uint64(0) >> (128 - n), Lo: ^uint64(0)}
}

// Host is the bits of an address of the given length that are not in its network's prefix.
func Host(prefix, length int) Number {
	if prefix >= length {
		return Number{}
	}
	return Highest(length - prefix)
}

// Compare returns -1, 0 or 1.
func (n Number) Compare(m Number) int {
	switch {
	case n == m:
		return 0
	case n.Less(m):
		return -1
	}
	return 1
}

// Less reports whether n is lower than m.
func (n Number) Less(m Number) bool { return n.Hi < m.Hi || n.Hi == m.Hi && n.Lo < m.Lo }

// Next returns n + 1, and 0 for the highest number.
func (n Number) Next() Number {
	lo, carry := bits.Add64(n.Lo, 1, 0)
	return Number{n.Hi + carry, lo}
}

// Prev returns n - 1, and the highest number for 0.
func (n Number) Prev() Number {
	lo, borrow := bits.Sub64(n.Lo, 1, 0)
	return Number{n.Hi - borrow, lo}
}

// And returns the bits that both numbers have.
func (n Number) And(m Number) Number { return Number{n.Hi & m.Hi, n.Lo & m.Lo} }

// Or returns the bits that one of the numbers has.
func (n Number) Or(m Number) Number { return Number{n.Hi | m.Hi, n.Lo | m.Lo} }

// Without returns the bits of n that m has not.
func (n Number) Without(m Number) Number { return Number{n.Hi &^ m.Hi, n.Lo &^ m.Lo} }

func (n Number) xor(m Number) Number { return Number{n.Hi ^ m.Hi, n.Lo ^ m.Lo} }

// length is the number of bits up to the highest one that is set.
func (n Number) length() int {
	if n.Hi != 0 {
		return 64 + bits.Len64(n.Hi)
	}
	return bits.Len64(n.Lo)
}

// bit returns the number with the one bit set, from 0.
func bit(at int) Number {
	if at >= 64 {
		return Number{Hi: 1 << (at - 64)}
	}
	return Number{Lo: 1 << at}
}

// below returns the bits below one.
func below(at int) Number { return bit(at).Prev() }

// trailing is the position of the lowest bit that is set, 128 for 0.
func (n Number) trailing() int {
	if n.Lo != 0 {
		return bits.TrailingZeros64(n.Lo)
	}
	return 64 + bits.TrailingZeros64(n.Hi)
}

// Addr returns the number of an address.
func Addr(a netip.Addr) Number {
	if a.Is4() {
		b := a.As4()
		return Number{Lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return Number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Addr returns the address that has the number.
func (n Number) Addr(ipv6 bool) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], n.Hi)
	binary.BigEndian.PutUint64(b[8:], n.Lo)
	if !ipv6 {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

// MaxName is the maximum length of an interface's name in bytes (IFNAMSIZ - 1).
const MaxName = 15

// Name returns the number of an interface's name. Names that begin alike are
// neighbours. What is longer than [MaxName] is cut off.
func Name(name string) Number {
	var b [16]byte
	copy(b[:MaxName], name)
	return Number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Name returns the name that has the number.
func (n Number) Name() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], n.Hi)
	binary.BigEndian.PutUint64(b[8:], n.Lo)
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b[:])
}

// firstFrom returns the lowest number that is not below n and whose bits in mask are
// value, if there is one.
func firstFrom(n, mask, value Number) (Number, bool) {
	differ := n.And(mask).xor(value)
	if differ == (Number{}) {
		return n, true
	}
	at := differ.length() - 1
	if value.And(bit(at)) == (Number{}) {
		// The number must become greater at a higher bit, which is free and 0.
		free := Number{^n.Hi, ^n.Lo}.Without(mask).Without(below(at))
		if at = free.trailing(); at == 128 {
			return Number{}, false
		}
	}
	kept := n.Without(below(at)).Without(bit(at))
	low := value.And(below(at).Or(bit(at)))
	if mask.And(bit(at)) == (Number{}) {
		low = low.Or(bit(at))
	}
	return kept.Or(low), true
}
