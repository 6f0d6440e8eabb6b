package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/internal/apply/applier"
)

// wayBack is what the kernel had before a change that needs no confirmation.
type wayBack struct {
	streams  *Streams
	applier  *applier.Applier
	snapshot *applier.Snapshot
}

// look reads the kernel. Where that fails there is no way back, and the change shows
// by itself what is wrong.
func (w *wayBack) look(ctx context.Context, backend string) {
	w.snapshot, _ = w.applier.Snapshot(ctx, backend)
}

// back makes the kernel what it was, because of an error, which it returns. A change
// that was not planned has not begun.
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
