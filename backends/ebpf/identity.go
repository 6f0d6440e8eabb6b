package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// identities assigns a unique 64-bit identity to every Service port.
type identities struct {
	ids   map[ir.ServicePort]uint64
	codes identity.Codes
}

func newIdentities(n int, hash identity.Hash) *identities {
	return &identities{ids: make(map[ir.ServicePort]uint64, n), codes: identity.Codes{Hash: hash}}
}

// of returns the identity of a Service port: the first 64 bits of a hash, so that
// every machine and every compilation computes the same identity without a stored
// list.
func (t *identities) of(s ir.ServicePort) uint64 {
	id, ok := t.ids[s]
	if !ok {
		id = t.codes.Of(servicePortContent(s), nil)
		t.ids[s] = id
	}
	return id
}

// servicePortContent encodes a Service port unambiguously: a length precedes each
// part.
func servicePortContent(s ir.ServicePort) string {
	b := make([]byte, 0, 128)
	for _, part := range [...]string{s.Namespace, s.Name, s.Port} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return string(append(b, byte(s.Protocol)))
}

// ServiceID is the identity of a Service port in images, unless two Service ports have the
// same hash.
func ServiceID(s ir.ServicePort) uint64 { return newIdentities(1, nil).of(s) }
