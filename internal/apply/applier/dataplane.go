package applier

import (
	"context"

	"github.com/planec/planec/backends"
)

// Dataplane is one backend's part of this node's kernel. Nothing that is not the
// backend's own is ever looked at or changed.
type Dataplane interface {
	// Plan reads what is in the kernel and says what must change for it to be
	// what the artifact says.
	Plan(ctx context.Context, want backends.Artifact) (Plan, error)
	// Apply carries out a plan of this dataplane. When it fails, what is in the
	// kernel is what was there before, or what an apply of either artifact puts
	// right.
	Apply(ctx context.Context, p Plan) error
	// Clean removes everything of the backend and says what, in words.
	Clean(ctx context.Context) ([]string, error)
}

// Partial is a dataplane whose rules do not serve by themselves yet. Applying it
// leaves another backend's rules where they are.
type Partial interface {
	// Missing says what is not there, in words.
	Missing() string
}

// Keeper is a dataplane that can go back to what the kernel had.
type Keeper interface {
	// Snapshot reads what is the backend's in the kernel. It is nil where there is
	// nothing.
	Snapshot(ctx context.Context) (any, error)
	// Restore makes the kernel what a snapshot of this dataplane says, which is not
	// nil.
	Restore(ctx context.Context, snapshot any) error
}

// Plan is what has to change.
type Plan interface {
	// Empty reports whether nothing has to, for the kernel to serve what it
	// should. There may be steps all the same, which tidy up.
	Empty() bool
	// Steps are the changes in their order, a line each.
	Steps() []string
}
