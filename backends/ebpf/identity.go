package ebpf

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// identities assigns a unique 64-bit identity to every Service port.
type identities struct {
	hash identity.Hash
	// given are the identities, each by its number plus 1 at the place in table of its seeded hash or
	// the next free one, see [contents]: names cannot be chosen so that places collide. What a
	// program has is not copied, unlike the contents of [identity.Codes].
	given []givenID
	table []uint32
	seed  maphash.Seed
	// last is what was asked last: frontends of one Service port follow each other.
	last givenID
	buf  []byte
}

// givenID is an identity with its Service port.
type givenID struct {
	id uint64
	of *ir.ServicePort
}

// newIdentities has room for n Service ports; more make it grow.
func newIdentities(n int, hash identity.Hash) *identities {
	return &identities{hash: hash, given: make([]givenID, 0, n), table: newTable(n), seed: maphash.MakeSeed()}
}

// of returns the identity of a Service port: the first 64 bits of a hash, so that
// every machine and every compilation computes the same identity without a stored
// list. Where another Service port has them, it is the next number that none has. The
// Service port must not change.
func (t *identities) of(s *ir.ServicePort) uint64 {
	if t.last.of != nil && *s == *t.last.of {
		return t.last.id
	}
	t.buf = appendServicePort(t.buf[:0], s)
	sum := t.hash.Sum(t.buf)
	for id := binary.BigEndian.Uint64(sum[:]); ; id++ {
		at := t.find(id)
		if n := t.table[at]; n == 0 {
			t.last = givenID{id, s}
			t.add(at)
			return id
		} else if have := t.given[n-1]; *have.of == *s {
			t.last = have
			return id
		}
	}
}

// find returns the place in the table of an identity, or the free place where it belongs.
func (t *identities) find(id uint64) uint64 {
	mask := uint64(len(t.table) - 1)
	at := maphash.Comparable(t.seed, id) & mask
	for ; t.table[at] != 0 && t.given[t.table[at]-1].id != id; at = (at + 1) & mask {
	}
	return at
}

// add gives last a free place.
func (t *identities) add(at uint64) {
	t.given = append(t.given, t.last)
	t.table[at] = uint32(len(t.given))
	if 2*len(t.given) < len(t.table) {
		return
	}
	t.table = newTable(2 * len(t.given))
	for i, g := range t.given {
		t.table[t.find(g.id)] = uint32(i + 1)
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
