package testkit

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// SCTP is emulated with raw sockets, because few test kernels have SCTP, but all
// that can translate it (NF_CT_PROTO_SCTP) forward it. A client sends INIT, and
// the answer is an INIT ACK whose state cookie is the greeting. Rules only affect
// this part of an association. The kernel's own SCTP could not use the world's
// addresses, which no interface has.
//
// An sctpPacket is one chunk with its common header (RFC 9260, 3.1 and 3.2).
type sctpPacket struct {
	source, destination uint16
	// verification is the receiver's tag, 0 for INIT; initiate is the sender's tag.
	verification, initiate uint32
	chunk                  byte
	// cookie is the state cookie of an INIT ACK.
	cookie []byte
}

const (
	chunkInit         = 1
	chunkInitAck      = 2
	parameterCookie   = 7
	commonHeaderSize  = 12
	initChunkSize     = 20 // chunk header, tag, window, streams, first number
	parameterOverhead = 4  // type and length
)

// marshal writes the packet with its checksum.
func (p sctpPacket) marshal() []byte {
	be := binary.BigEndian
	b := make([]byte, commonHeaderSize, 128)
	be.PutUint16(b, p.source)
	be.PutUint16(b[2:], p.destination)
	be.PutUint32(b[4:], p.verification)
	length := initChunkSize
	if p.cookie != nil {
		length += parameterOverhead + len(p.cookie)
	}
	b = append(b, p.chunk, 0)
	b = be.AppendUint16(b, uint16(length))
	b = be.AppendUint32(b, p.initiate)
	b = be.AppendUint32(b, 65535) // window
	b = be.AppendUint16(b, 1)     // streams out
	b = be.AppendUint16(b, 1)     // streams in
	b = be.AppendUint32(b, 1)     // first transmission sequence number
	if p.cookie != nil {
		b = be.AppendUint16(b, parameterCookie)
		b = be.AppendUint16(b, uint16(parameterOverhead+len(p.cookie)))
		b = append(b, p.cookie...)
		b = append(b, make([]byte, -len(b)&3)...) // to a multiple of four
	}
	// CRC32c, little-endian (RFC 9260, appendix A).
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// parseSCTP parses the first chunk of a packet, which must be an INIT or an INIT ACK of
// this package. Connection tracking in the kernel has already verified the checksum.
func parseSCTP(b []byte) (sctpPacket, error) {
	if len(b) < commonHeaderSize+initChunkSize {
		return sctpPacket{}, errors.New("sctp packet: too short")
	}
	be := binary.BigEndian
	p := sctpPacket{
		source: be.Uint16(b), destination: be.Uint16(b[2:]), verification: be.Uint32(b[4:]),
		chunk: b[commonHeaderSize], initiate: be.Uint32(b[commonHeaderSize+4:]),
	}
	rest := b[commonHeaderSize+initChunkSize:]
	if p.chunk != chunkInitAck {
		return p, nil
	}
	if len(rest) < parameterOverhead || be.Uint16(rest) != parameterCookie {
		return p, errors.New("sctp packet: INIT ACK without a state cookie")
	}
	length := int(be.Uint16(rest[2:]))
	if length < parameterOverhead || length > len(rest) {
		return p, errors.New("sctp packet: parameter too long")
	}
	p.cookie = rest[parameterOverhead:length]
	return p, nil
}
