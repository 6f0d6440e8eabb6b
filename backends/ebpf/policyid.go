package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// policyIDs assigns unique identities to profiles and rows: the first 64 bits of a
// hash, or the next free number in case of a collision.
type policyIDs struct{ profiles, rows identity.Codes }

func newPolicyIDs(hash identity.Hash) policyIDs {
	return policyIDs{identity.Codes{Hash: hash}, identity.Codes{Hash: hash}}
}

func (t *policyIDs) profile(name string) layout.PolicyID {
	return policyID(&t.profiles, "profile\x00"+name)
}

func (t *policyIDs) row(r *resolve.Row) layout.PolicyID {
	if id, constant := constantRow(r); constant {
		return id
	}
	return policyID(&t.rows, rowContent(r))
}

func policyID(codes *identity.Codes, content string) (id layout.PolicyID) {
	code := codes.Of(content, func(n uint64) bool {
		binary.BigEndian.PutUint64(id[:], n)
		return !id.Reserved()
	})
	binary.BigEndian.PutUint64(id[:], code)
	return id
}

// constantRow returns the identity of a row that does not depend on ports.
func constantRow(r *resolve.Row) (layout.PolicyID, bool) {
	if r.Accept {
		return layout.RowAccept, len(r.Except) == 0
	}
	return layout.RowDeny, len(r.Except) == 0
}

// rowContent encodes a row unambiguously.
func rowContent(r *resolve.Row) string {
	b := append(make([]byte, 0, 64), "row\x00"...)
	b = append(b, verdictOf(r.Accept))
	for _, p := range r.Except {
		b = append(b, byte(p.Protocol))
		b = binary.BigEndian.AppendUint16(b, p.First)
		b = binary.BigEndian.AppendUint16(b, p.Last)
	}
	return string(b)
}

func verdictOf(accept bool) byte {
	if accept {
		return layout.VerdictAccept
	}
	return layout.VerdictDeny
}
