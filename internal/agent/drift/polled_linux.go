package drift

import (
	"context"
	"sync"
)

// Polled reports when the fingerprint of the rules changes. It is for rules
// without notifications whose fingerprint is cheap to read.
type Polled struct {
	// Read returns the fingerprint. An error counts as a different fingerprint.
	Read func(context.Context) (string, error)

	mu    sync.Mutex
	right string
	// known is whether right is valid.
	known bool
}

// Settled declares the kernel's current state correct.
func (w *Polled) Settled(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.right, w.known = w.read(ctx), true
}

func (w *Polled) read(ctx context.Context) string {
	now, err := w.Read(ctx)
	if err != nil {
		return "error: " + err.Error()
	}
	return now
}

// Run watches until ctx ends.
func (w *Polled) Run(ctx context.Context) <-chan struct{} {
	notices := make(chan struct{}, 1)
	go poll(ctx, notices, func() bool { return w.differs(ctx) })
	return notices
}

// differs reports a difference once until the next Settled.
func (w *Polled) differs(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known || w.read(ctx) == w.right {
		return false
	}
	w.known = false
	return true
}
