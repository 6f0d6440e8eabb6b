//go:build !js

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/internal/apply/applier"
)

// wayBack holds the kernel's state before a change without a guard.
type wayBack struct {
	streams  *Streams
	applier  *applier.Applier
	snapshot *applier.Snapshot
}

// look reads the kernel. If that fails, there is nothing to restore, and the change
// itself will report the problem.
func (w *wayBack) look(ctx context.Context, backend string) {
	w.snapshot, _ = w.applier.Snapshot(ctx, backend)
}

// back restores the kernel's state because of an error, which it returns. A change
// without a plan has not begun.
func (w *wayBack) back(p applier.Plan, because error) error {
	if w.snapshot == nil || p == nil {
		return because
	}
	if err := w.applier.Restore(context.Background(), w.snapshot); err != nil {
		return errors.Join(because, systemError(fmt.Errorf("the rules from before could not be put back: %w", err)))
	}
	fmt.Fprintln(w.streams.Err, "the change failed: the kernel has the rules from before")
	return because
}
