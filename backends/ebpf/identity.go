package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// identities gives every Service port its 64-bit identity, each its own.
type identities struct {
	ids   map[ir.ServicePort]uint64
	codes identity.Codes
}

func newIdentities(n int, hash identity.Hash) *identities {
	return &identities{ids: make(map[ir.ServicePort]uint64, n), codes: identity.Codes{Hash: hash}}
}

// of returns the identity of a Service port: the first 64 bits of a hash, so that
// no list of numbers is kept anywhere, and yet every machine and every compilation
// has the same.
func (t *identities) of(s ir.ServicePort) uint64 {
	id, ok := t.ids[s]
	if !ok {
		id = t.codes.Of(servicePortContent(s), nil)
		t.ids[s] = id
	}
	return id
}

// servicePortContent says all of a Service port. Lengths stand before the parts,
// so that no two read the same.
func servicePortContent(s ir.ServicePort) string {
	b := make([]byte, 0, 128)
	for _, part := range [...]string{s.Namespace, s.Name, s.Port} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return string(append(b, byte(s.Protocol)))
}
