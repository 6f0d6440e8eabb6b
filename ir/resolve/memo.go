package resolve

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Memo resolves a policy once for several users of one program, who only read the result. The
// zero value is ready to use; it is not safe for concurrent use.
type Memo struct {
	of  ir.Policy
	out *Policy
}

// New is the function New, or its last result if the policy has the same lists, in the same
// memory. The hash must be the same each time.
func (m *Memo) New(p *ir.Policy, hash identity.Hash) *Policy {
	if m.out == nil || m.of.OnRedirect != p.OnRedirect || !sameList(m.of.Profiles, p.Profiles) || !sameList(m.of.AddressSets, p.AddressSets) {
		m.of, m.out = *p, New(p, hash)
	}
	return m.out
}

// sameList reports whether two lists are one.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
