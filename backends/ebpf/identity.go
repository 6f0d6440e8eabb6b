package ebpf

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/planec/planec/ir"
)

// identities gives every Service port its 64-bit identity and notices when two
// get the same one.
type identities struct {
	ids   map[ir.ServicePort]uint64
	taken map[uint64]ir.ServicePort
}

func newIdentities(n int) *identities {
	return &identities{ids: make(map[ir.ServicePort]uint64, n), taken: make(map[uint64]ir.ServicePort, n)}
}

// of returns the identity of a Service port.
func (t *identities) of(s ir.ServicePort) (uint64, error) {
	if id, ok := t.ids[s]; ok {
		return id, nil
	}
	id := identity(s)
	if other, dup := t.taken[id]; dup {
		return 0, fmt.Errorf("service %v has the same identity %016x as service %v: rename a port of one of them", s, id, other)
	}
	t.ids[s], t.taken[id] = id, s
	return id, nil
}

// identity is the first 64 bits of a SHA-256: no list of numbers is kept
// anywhere, and yet every machine and every compilation has the same. Lengths
// stand before the parts, so that no two Service ports hash the same text.
func identity(s ir.ServicePort) uint64 {
	b := make([]byte, 0, 128)
	for _, part := range [...]string{s.Namespace, s.Name, s.Port} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(append(b, byte(s.Protocol)))
	return binary.BigEndian.Uint64(sum[:])
}
