package resolve

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Stepped resolves the policy, and reports whether that was done from the policy before it.
func Stepped(m *Memo, p *ir.Policy, hash identity.Hash) bool {
	m.New(p, hash)
	return m.last != nil
}
