package ebpf

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/resolve"
)

// policyIDs gives profiles and rows their identities and notices when two get
// the same one.
type policyIDs struct {
	profiles, rows map[layout.PolicyID]string
}

func newPolicyIDs() policyIDs {
	return policyIDs{profiles: make(map[layout.PolicyID]string), rows: make(map[layout.PolicyID]string)}
}

func (t policyIDs) profile(name string) (layout.PolicyID, error) {
	return claim(t.profiles, profileID(name), name)
}

func (t policyIDs) row(r *resolve.Row) (layout.PolicyID, error) {
	if id, constant := constantRow(r); constant {
		return id, nil
	}
	return claim(t.rows, rowID(r), r.ID)
}

// claim notes whose the identity is.
func claim(taken map[layout.PolicyID]string, id layout.PolicyID, name string) (layout.PolicyID, error) {
	if other, dup := taken[id]; dup && other != name {
		return id, fmt.Errorf("%s has the same identity %x as %s: rename a policy, or change its ports", name, id, other)
	}
	if id.Reserved() {
		return id, fmt.Errorf("%s has the reserved identity %x: rename a policy, or change its ports", name, id)
	}
	taken[id] = name
	return id, nil
}

// profileID is the start of a SHA-256 of the profile's ID.
func profileID(name string) layout.PolicyID {
	sum := sha256.Sum256(append([]byte("profile\x00"), name...))
	return layout.PolicyID(sum[:])
}

// constantRow returns the identity of a row that does not ask for ports.
func constantRow(r *resolve.Row) (layout.PolicyID, bool) {
	if r.Accept {
		return layout.RowAccept, len(r.Except) == 0
	}
	return layout.RowDeny, len(r.Except) == 0
}

// rowID is the start of a SHA-256 of a row's content, which a reader of the
// image can calculate again.
func rowID(r *resolve.Row) layout.PolicyID {
	b := append(make([]byte, 0, 64), "row\x00"...)
	b = append(b, verdictOf(r.Accept))
	for _, p := range r.Except {
		b = append(b, byte(p.Protocol))
		b = binary.BigEndian.AppendUint16(b, p.First)
		b = binary.BigEndian.AppendUint16(b, p.Last)
	}
	sum := sha256.Sum256(b)
	return layout.PolicyID(sum[:])
}

func verdictOf(accept bool) byte {
	if accept {
		return layout.VerdictAccept
	}
	return layout.VerdictDeny
}
