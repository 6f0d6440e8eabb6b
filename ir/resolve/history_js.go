package resolve

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// history is nothing in a web page, which compiles everything each time: each policy is resolved
// as a whole there.
type history struct{}

func newHistory(*ir.Policy, *Policy, identity.Hash) *history { return nil }

func (*history) next(*ir.Policy) *Policy { return nil }
