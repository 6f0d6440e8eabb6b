package ebpf

import (
	"encoding/binary"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/identity"
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

func (t *policyIDs) row(r *laidRow) layout.PolicyID {
	if id, constant := r.constant(); constant {
		return id
	}
	return policyID(&t.rows, r.content())
}

func policyID(codes *identity.Codes, content string) (id layout.PolicyID) {
	code := codes.Of(content, func(n uint64) bool {
		binary.BigEndian.PutUint64(id[:], n)
		return !id.Reserved()
	})
	binary.BigEndian.PutUint64(id[:], code)
	return id
}
