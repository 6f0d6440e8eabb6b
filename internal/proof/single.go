package proof

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Single compares results of single packets, as a proof compares those of boxes: for
// kernels, which judge one packet at a time.
type Single struct {
	limits   *limits
	outcomes outcomes
}

// NewSingle returns a comparison for the files of a backend.
func NewSingle(b backends.Backend, p *ir.Program) *Single {
	l := limitsOf(b.Check(p))
	return &Single{l, outcomes{approximates: l.approximates, logsOtherwise: l.logsOtherwise, shares: true}}
}

// Excludes reports whether the backend says that it does something else with the packet
// than the program, or cannot do it.
func (s *Single) Excludes(p eval.Packet, want eval.Result) bool {
	return s.limits.excludes(space.New(p.Box()), &want)
}

// Differs returns what differs in the results of a packet, or "".
func (s *Single) Differs(p eval.Packet, want, got eval.Result) string {
	return s.outcomes.same(&want, &got, space.New(p.Box()))
}
