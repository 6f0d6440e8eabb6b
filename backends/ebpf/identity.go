package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// identities assigns a unique 64-bit identity to every Service port.
type identities struct {
	codes identity.Codes
	// last and lastID are what was asked last: frontends of one Service port follow each other.
	last   ir.ServicePort
	lastID uint64
	buf    []byte
}

func newIdentities(n int, hash identity.Hash) *identities {
	return &identities{codes: identity.Codes{Hash: hash, Room: n}}
}

// of returns the identity of a Service port: the first 64 bits of a hash, so that
// every machine and every compilation computes the same identity without a stored
// list.
func (t *identities) of(s ir.ServicePort) uint64 {
	if t.buf == nil || s != t.last {
		t.buf = appendServicePort(t.buf[:0], s)
		t.last, t.lastID = s, t.codes.Of(string(t.buf), nil)
	}
	return t.lastID
}

// appendServicePort encodes a Service port unambiguously: a length precedes each
// part.
func appendServicePort(b []byte, s ir.ServicePort) []byte {
	for _, part := range [...]string{s.Namespace, s.Name, s.Port} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return append(b, byte(s.Protocol))
}

// ServiceID is the identity of a Service port in images, unless two Service ports have the
// same hash.
func ServiceID(s ir.ServicePort) uint64 { return newIdentities(1, nil).of(s) }
