package layout

import (
	"encoding/binary"
	"net/netip"
)

// AddressSize is the size of an Address in bytes.
const AddressSize = 16

// Address is an address in network order; IPv4 is ::ffff:a.b.c.d.
type Address [AddressSize]byte

// AddressOf returns the bytes of a. The zero Addr is all zeroes.
func AddressOf(a netip.Addr) Address { return a.As16() }

// Addr returns the address; an IPv4-mapped address is returned as IPv4.
func (a Address) Addr() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Is4 reports whether the address is one of IPv4.
func (a Address) Is4() bool {
	return binary.BigEndian.Uint64(a[:8]) == 0 && binary.BigEndian.Uint32(a[8:]) == 0xffff
}

// Port is a port in network order.
type Port [2]byte

// PortOf returns the bytes of a port.
func PortOf(p uint16) Port { return Port{byte(p >> 8), byte(p)} }

// Number returns the port as a number.
func (p Port) Number() uint16 { return binary.BigEndian.Uint16(p[:]) }

// BE32 is a number that is only compared; it is big-endian.
type BE32 [4]byte

// BE32Of returns the bytes of a number.
func BE32Of(n uint32) (b BE32) {
	binary.BigEndian.PutUint32(b[:], n)
	return b
}

// Number returns the number.
func (b BE32) Number() uint32 { return binary.BigEndian.Uint32(b[:]) }

var le = binary.LittleEndian

// AppendIndex appends an index or a word of flags.
func AppendIndex(b []byte, n uint32) []byte { return le.AppendUint32(b, n) }

// DecodeIndex reads what AppendIndex writes.
func DecodeIndex(b []byte) uint32 { return le.Uint32(b) }
