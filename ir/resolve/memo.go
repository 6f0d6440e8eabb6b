package resolve

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Memo resolves a policy once for several users of one program, who only read the result, and
// the next policy from what it has of the one before. The zero value is ready to use; it is not
// safe for concurrent use. The hash must be the same each time. No policy that it was given may
// change afterwards.
type Memo struct {
	of   ir.Policy
	out  *Policy
	last *history
}

// New is the function New, or the last result if the policy has the same lists, in the same
// memory. Parts of the last policy that the policy has in the same memory are not resolved
// again: profiles, and address sets.
func (m *Memo) New(p *ir.Policy, hash identity.Hash) *Policy {
	if m.Has(p) {
		return m.out
	}
	if m.out != nil {
		if m.last == nil {
			m.last = newHistory(&m.of, m.out, hash)
		}
		if out := m.last.next(p); out != nil {
			m.of, m.out = *p, out
			return out
		}
	}
	m.of, m.out, m.last = *p, New(p, hash), nil
	return m.out
}

// Has reports whether the last result is that of the policy.
func (m *Memo) Has(p *ir.Policy) bool {
	return m.out != nil && m.of.OnRedirect == p.OnRedirect && sameList(m.of.Profiles, p.Profiles) && sameList(m.of.AddressSets, p.AddressSets)
}

// sameList reports whether two lists are one.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
