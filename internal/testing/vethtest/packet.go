package vethtest

import (
	"encoding/binary"
	"net/netip"
)

// The flags of TCP.
const (
	FIN = 1 << 0
	SYN = 1 << 1
	RST = 1 << 2
	ACK = 1 << 4
)

// The protocols that have a header here; others have none.
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
	SCTP   = 132
)

// Headers of IPv6 between its own and the transport's.
const (
	HopByHop    = 0
	Routing     = 43
	fragment    = 44
	AH          = 51
	Destination = 60
)

// Packet is a packet of IPv4, or of IPv6 if its addresses are.
type Packet struct {
	Src, Dst netip.Addr
	Protocol uint8 // IPPROTO_*
	// SrcPort and DstPort are those of TCP, UDP and SCTP.
	SrcPort, DstPort uint16
	Flags            uint8  // of TCP
	Chunk            uint8  // the type of SCTP's first chunk
	Type, Code       uint8  // of ICMP
	ID               uint16 // of an ICMP request
	// Data follow the header of the transport.
	Data []byte
	// Options are those of IPv4, a multiple of 4 bytes; Headers are types of headers of IPv6.
	Options []byte
	Headers []uint8
	// Fragment makes the packet a fragment, if it is not nil; Data are then all there is, and
	// there is no header of the transport if Offset is not 0.
	Fragment *Fragment
}

// Fragment says which fragment of a packet one is.
type Fragment struct {
	ID     uint32 // 16 bits of IPv4
	Offset uint16 // in bytes, a multiple of 8
	More   bool   // others follow
}

// Reply returns the packet with its ends exchanged.
func (p Packet) Reply() Packet {
	p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	return p
}

// Bytes returns the packet with an Ethernet header. Checksums are 0: the programs read none.
func (p Packet) Bytes() []byte {
	ethernet := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00}
	if !p.Src.Is4() {
		ethernet[12], ethernet[13] = 0x86, 0xdd
	}
	return append(ethernet, p.IP()...)
}

// IP returns the packet from its IP header on.
func (p Packet) IP() []byte {
	if p.Src.Is4() {
		return p.ipv4()
	}
	return p.ipv6()
}

func (p Packet) ipv4() []byte {
	load := p.transport()
	size := 20 + len(p.Options)
	b := []byte{byte(0x40 | size/4), 0}
	b = binary.BigEndian.AppendUint16(b, uint16(size+len(load)))
	var id, offset uint16
	if f := p.Fragment; f != nil {
		id, offset = uint16(f.ID), f.Offset/8
		if f.More {
			offset |= 0x2000
		}
	}
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, offset)
	b = append(b, 64, p.Protocol, 0, 0)
	b = append(append(b, p.Src.AsSlice()...), p.Dst.AsSlice()...)
	return append(append(b, p.Options...), load...)
}

func (p Packet) ipv6() []byte {
	next, headers := p.Protocol, []byte(nil)
	if f := p.Fragment; f != nil {
		offset := f.Offset
		if f.More {
			offset |= 1
		}
		h := binary.BigEndian.AppendUint16([]byte{next, 0}, offset)
		headers, next = binary.BigEndian.AppendUint32(h, f.ID), fragment
	}
	for i := len(p.Headers) - 1; i >= 0; i-- {
		h := []byte{next, 0, 0, 0, 0, 0, 0, 0}
		if p.Headers[i] == AH {
			h = append(h, 0, 0, 0, 0)
			h[1] = 1
		}
		headers, next = append(h, headers...), p.Headers[i]
	}
	load := append(headers, p.transport()...)
	b := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(load)))
	b = append(b, next, 64)
	b = append(append(b, p.Src.AsSlice()...), p.Dst.AsSlice()...)
	return append(b, load...)
}

// transport returns the header of the transport, and the data.
func (p Packet) transport() []byte {
	if p.Fragment != nil && p.Fragment.Offset != 0 {
		return p.Data
	}
	var b []byte
	switch p.Protocol {
	case TCP, UDP, SCTP:
		b = binary.BigEndian.AppendUint16(b, p.SrcPort)
		b = binary.BigEndian.AppendUint16(b, p.DstPort)
	}
	switch p.Protocol {
	case TCP:
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, p.Flags, 1, 0, 0, 0, 0, 0)
	case UDP:
		b = binary.BigEndian.AppendUint16(b, uint16(8+len(p.Data)))
		b = append(b, 0, 0)
	case SCTP:
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, p.Chunk, 0, 0, 4)
	case ICMP, ICMPv6:
		b = append(b, p.Type, p.Code, 0, 0)
		b = binary.BigEndian.AppendUint16(b, p.ID)
		b = append(b, 0, 1)
	}
	return append(b, p.Data...)
}
