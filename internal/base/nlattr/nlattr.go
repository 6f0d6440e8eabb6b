// Package nlattr reads and writes the attributes of netlink messages (struct nlattr of
// include/uapi/linux/netlink.h): a 16-bit length that counts itself and the type, a
// 16-bit type, the value, and zeros up to the next multiple of four bytes. Length and
// type have the machine's byte order; the numbers that netfilter puts into values are
// big endian.
//
// The kernel's messages are trusted as little as a file is: an attribute whose length
// is impossible or that is cut off ends the list.
package nlattr

import (
	"encoding/binary"
	"iter"
)

const (
	headerLen = 4
	// nested is NLA_F_NESTED, the flag of an attribute that holds attributes.
	nested = 1 << 15
	// typeMask leaves the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER out of a type.
	typeMask = 0x3fff
)

// All yields the types, without their flags, and the values of the attributes of a
// message or of another attribute. Values are parts of b.
func All(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= headerLen {
			n := int(binary.NativeEndian.Uint16(b))
			if n < headerLen || n > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&typeMask, b[headerLen:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// DropNested takes the flag NLA_F_NESTED off attributes and those within them, where
// they lie: the kernel dumps expressions of nftables without it.
func DropNested(b []byte) {
	at := 0
	for _, v := range All(b) {
		if kind := binary.NativeEndian.Uint16(b[at+2:]); kind&nested != 0 {
			binary.NativeEndian.PutUint16(b[at+2:], kind&^nested)
			DropNested(v)
		}
		at += (headerLen + len(v) + 3) &^ 3
	}
}

// Get returns the value of the first attribute of a type, or nil.
func Get(b []byte, kind uint16) []byte {
	for k, v := range All(b) {
		if k == kind {
			return v
		}
	}
	return nil
}

// String is the text of a value, without the NUL that ends it.
func String(v []byte) string {
	if n := len(v); n > 0 && v[n-1] == 0 {
		v = v[:n-1]
	}
	return string(v)
}

// Uint32 is the number that a value of four bytes holds, big endian; a value of
// another length is 0.
func Uint32(v []byte) uint32 {
	if len(v) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// Uint64 is [Uint32] of eight bytes.
func Uint64(v []byte) uint64 {
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// Begin appends the head of an attribute whose value has n bytes; the type may have
// flags.
func Begin(b []byte, kind uint16, n int) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(headerLen+n))
	return binary.NativeEndian.AppendUint16(b, kind)
}

// Pad appends the zeros that end an attribute. The message has to begin where b does.
func Pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// Append appends an attribute; the type may have flags.
func Append(b []byte, kind uint16, value []byte) []byte {
	return Pad(append(Begin(b, kind, len(value)), value...))
}
