package loop

import (
	"context"
	"errors"

	"github.com/planec/planec/internal/apply/applier"
)

// ErrNotStarted means that the agent has not applied anything yet.
var ErrNotStarted = errors.New("the agent has not applied anything yet")

// Serving is the state that the agent wants the kernel to have.
type Serving struct {
	applier.Entry
	// Changes counts possible changes of the rules: answers with the same number
	// have the same rules.
	Changes uint64
	// Behind is whether the kernel is known to differ because an apply failed.
	Behind bool
}

// request is a question from another goroutine to the loop.
type request struct {
	answer chan<- answer
}

type answer struct {
	serving Serving
	err     error
}

// Serving returns what the kernel should have now. It waits for an apply in
// progress.
func (a *Agent) Serving(ctx context.Context) (Serving, error) {
	c := make(chan answer, 1)
	select {
	case <-ctx.Done():
		return Serving{}, ctx.Err()
	case a.requests <- request{c}:
	}
	select {
	case <-ctx.Done():
		return Serving{}, ctx.Err()
	case got := <-c:
		return got.serving, got.err
	}
}

// serving answers a request.
func (a *Agent) serving() (s Serving, err error) {
	if a.session == nil {
		return s, ErrNotStarted
	}
	s.Changes, s.Behind = a.changes, a.behind
	s.Entry, err = a.session.Wanted()
	return s, err
}

// remember records the applied state when the agent ends, because single changes
// are not recorded while it runs.
func (a *Agent) remember() {
	if a.session == nil || a.behind {
		return
	}
	e, err := a.session.Wanted()
	if err == nil {
		a.Applier.Seal(e)
		err = a.Applier.Remember(e, nil)
	}
	if err != nil {
		a.Log.Warn("what the kernel has at the end could not be written down", "error", err)
	}
}
