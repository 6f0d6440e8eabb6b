package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// identities assigns a unique 64-bit identity to every Service port.
type identities struct {
	hash identity.Hash
	// taken has the Service port of each identity, by its place in ports. Those of a program are
	// not copied, unlike the contents of [identity.Codes].
	taken map[uint64]int32
	ports []*ir.ServicePort
	// last and lastID are what was asked last: frontends of one Service port follow each other.
	last   *ir.ServicePort
	lastID uint64
	buf    []byte
}

func newIdentities(n int, hash identity.Hash) *identities {
	return &identities{hash: hash, taken: make(map[uint64]int32, n), ports: make([]*ir.ServicePort, 0, n)}
}

// of returns the identity of a Service port: the first 64 bits of a hash, so that
// every machine and every compilation computes the same identity without a stored
// list. Where another Service port has them, it is the next number that none has. The
// Service port must not change.
func (t *identities) of(s *ir.ServicePort) uint64 {
	if t.last != nil && *s == *t.last {
		return t.lastID
	}
	t.buf = appendServicePort(t.buf[:0], s)
	sum := t.hash.Sum(t.buf)
	id := binary.BigEndian.Uint64(sum[:])
	for ; ; id++ {
		at, taken := t.taken[id]
		if taken && *t.ports[at] != *s {
			continue
		}
		if !taken {
			t.taken[id] = int32(len(t.ports))
			t.ports = append(t.ports, s)
		}
		t.last, t.lastID = s, id
		return id
	}
}

// appendServicePort encodes a Service port unambiguously: a length precedes each
// part.
func appendServicePort(b []byte, s *ir.ServicePort) []byte {
	for _, part := range [...]string{s.Namespace, s.Name, s.Port} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return append(b, byte(s.Protocol))
}

// ServiceID is the identity of a Service port in images, unless two Service ports have the
// same hash.
func ServiceID(s ir.ServicePort) uint64 { return newIdentities(1, nil).of(&s) }
