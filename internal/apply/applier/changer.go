package applier

import (
	"context"
	"errors"

	"github.com/planec/planec/backends"
)

// Changer is a dataplane that remembers what it was given, and changes it
// without reading the kernel or looking at the rest.
type Changer interface {
	Dataplane
	// Hold says what the kernel has: an artifact that was applied.
	Hold(backends.Artifact) error
	// Change applies the difference of two fragments of the artifact
	// (compiler.Delta). [ErrWhole] says that only Replace can.
	Change(ctx context.Context, before, after backends.Artifact) (Plan, error)
	// Replace applies the difference of what is held and a whole artifact.
	// Either fails with [ErrDrift] when what is held is not what is there; then
	// an Apply and another Hold put it right.
	Replace(ctx context.Context, whole backends.Artifact) (Plan, error)
}

// PolicyChanger is a Changer that can also compare a policy with the one it
// holds.
type PolicyChanger interface {
	Changer
	// ChangePolicy is Change where after has the whole policy besides its
	// fragment, and before has none: what is held of the policy becomes after's.
	ChangePolicy(ctx context.Context, before, after backends.Artifact) (Plan, error)
}

// ErrWhole says that a change needs the whole artifact.
var ErrWhole = errors.New("the whole artifact is needed for this change")

// Dataplane returns the dataplane of a backend, or nil.
func (a *Applier) Dataplane(backend string) Dataplane { return a.dataplanes[backend] }
