package drift

import (
	"context"
	"sync"
)

// Polled tells when a fingerprint of the rules is not what it was when they were right:
// for rules of which the kernel tells nothing, and that are cheap to tell apart.
type Polled struct {
	// Read returns the fingerprint. An error is another fingerprint.
	Read func(context.Context) (string, error)

	mu    sync.Mutex
	right string
	// known is whether right is there to compare with.
	known bool
}

// Settled says that what the kernel has now is right.
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

// differs reports a difference once, until the rules are right again.
func (w *Polled) differs(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known || w.read(ctx) == w.right {
		return false
	}
	w.known = false
	return true
}
