// Package nlattr reads and writes the attributes of netlink messages (struct nlattr of
// include/uapi/linux/netlink.h): a 16-bit length that counts itself and the type, a
// 16-bit type, the value, and zeros up to the next multiple of four bytes. Length and
// type have the machine's byte order; the numbers that netfilter puts into values are
// big endian.
//
// The kernel's messages are not trusted more than a file: an attribute that is cut
// off or whose length is impossible ends the list.
package nlattr

import (
	"encoding/binary"
	"iter"
)

const (
	headerLen = 4
	// nested is NLA_F_NESTED, the flag of an attribute that holds attributes.
	nested = 1 << 15
	// typeMask removes the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER from a type.
	typeMask = 0x3fff
)

// All yields the types, without flags, and the values of the attributes in a
// message or in another attribute. Values are slices of b.
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

// DropNested clears the flag NLA_F_NESTED in place, also in nested attributes,
// because the kernel dumps expressions of nftables without it.
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

// String returns the text of a value, without its final NUL.
func String(v []byte) string {
	if n := len(v); n > 0 && v[n-1] == 0 {
		v = v[:n-1]
	}
	return string(v)
}

// Uint32 returns the big-endian number in a value of four bytes, and 0 for
// other lengths.
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

// Begin appends the header of an attribute with a value of n bytes; the type may
// have flags.
func Begin(b []byte, kind uint16, n int) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(headerLen+n))
	return binary.NativeEndian.AppendUint16(b, kind)
}

// Pad appends the zeros after an attribute. The message must start at the start of b.
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
