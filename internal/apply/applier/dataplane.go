package applier

import (
	"context"
	"errors"

	"github.com/planec/planec/backends"
)

// Dataplane is one backend's part of this node's kernel. Nothing that is not the
// backend's own is ever looked at or changed. Only an [Applier] drives it.
type Dataplane interface {
	// Plan reads what is in the kernel and says what must change for it to be
	// what the artifact says.
	Plan(ctx context.Context, want backends.Artifact) (Plan, error)

	// Left reads the kernel, changes nothing, and says in words what of the backend
	// is there; a part of its rules is something too.
	Left(ctx context.Context) ([]string, error)
	// Clean removes everything of the backend and says what, in words.
	Clean(ctx context.Context) ([]string, error)

	// Hold says what the kernel has: an artifact that was applied. From then on it can
	// be changed without reading the kernel or looking at the rest.
	Hold(a backends.Artifact) error
	// Change plans the difference of two fragments of what is held (compiler.Delta).
	// [ErrWhole] says that only Replace can.
	Change(before, after backends.Artifact) (Plan, error)
	// Replace plans the difference of what is held and a whole artifact. A plan of
	// what is held is to be applied at once, or never; what it leads to is held then.
	// It fails with [ErrDrift] when what is held is not what is there: then a plan of
	// the whole and another Hold put it right.
	Replace(whole backends.Artifact) (Plan, error)

	// Snapshot reads what is the backend's in the kernel, and returns what makes the
	// kernel that again; nil where there is nothing.
	Snapshot(ctx context.Context) (restore func(context.Context) error, err error)

	// Served reads what the kernel serves, and changes nothing.
	Served(ctx context.Context) (backends.Served, error)
	// Read says what an artifact serves, and fails where it is none of the backend's.
	Read(a backends.Artifact) (backends.Served, error)
}

// Plan is what has to change in the kernel that it was made for.
type Plan interface {
	// Empty reports whether nothing has to, for the kernel to serve what it
	// should. There may be steps all the same, which tidy up.
	Empty() bool
	// Steps are the changes in their order, a line each.
	Steps() []string
	// FromNothing reports whether the kernel had nothing of the backend.
	FromNothing() bool
	// Apply carries it out. When it fails, what is in the kernel is what was there
	// before, or what an apply of either artifact puts right.
	Apply(ctx context.Context) error
}

// ErrWhole says that a change needs the whole artifact.
var ErrWhole = errors.New("the whole artifact is needed for this change")

// Partial is a dataplane whose rules do not serve by themselves yet. Applying it
// leaves another backend's rules where they are.
type Partial interface {
	// Missing says what is not there, in words.
	Missing() string
}

// PolicyChanger is a dataplane that can also compare a policy with the one it holds.
type PolicyChanger interface {
	// ChangePolicy is Change where after has the whole policy besides its
	// fragment, and before has none: what is held of the policy becomes after's.
	ChangePolicy(before, after backends.Artifact) (Plan, error)
}

// Fingerprinter is a dataplane that can tell cheaply whether its rules in the kernel
// are the same as before, though not what they are.
type Fingerprinter interface {
	// Fingerprint differs when the rules were changed by any process.
	Fingerprint(ctx context.Context) (string, error)
}
