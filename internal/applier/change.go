package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// tries bounds the plans that one apply makes; between two it waits, pause at first
// and twice as long each time.
const (
	tries = 5
	pause = 100 * time.Millisecond
)

// hasty is the key of a context for applies that are one of many.
type hasty struct{}

// Hasty returns a context for an apply that is one of many, of which some are
// expected to be refused: what is refused without being for a moment is not tried
// again, and what may be for a moment once.
func Hasty(ctx context.Context) context.Context { return context.WithValue(ctx, hasty{}, true) }

// change plans, applies and verifies, and begins again where another process was at
// work between looking and changing, or where the kernel or a tool could not answer
// for a moment. It returns the first plan, which has the steps that were asked for.
func (a *Applier) change(ctx context.Context, e Entry) (Plan, error) {
	var first Plan
	var refused error
	var before []string
	// again is whether a plan that was refused was carried out once more already: a
	// tool may fail for a moment without a word of it.
	again, most := false, tries
	if ctx.Value(hasty{}) != nil {
		again, most = true, 2
	}
	for try := 0; ; try++ {
		plan, err := a.Plan(ctx, e)
		if first == nil && err == nil {
			first = plan
		}
		if err == nil {
			// What was refused twice, and would be the same again, is refused for good.
			if refused != nil && slices.Equal(plan.Steps(), before) {
				if again {
					return first, refused
				}
				again = true
			}
			err = a.carryOut(ctx, plan, e)
		}
		if err == nil || try+1 == most || again && !passing(err) && most < tries || ctx.Err() != nil || permanent(err) {
			return first, err
		}
		if refused = nil; plan != nil && !passing(err) {
			refused, before = err, plan.Steps()
		}
		select {
		case <-ctx.Done():
			return first, err
		case <-time.After(pause << try):
		}
	}
}

// carryOut applies a plan and verifies what it led to. A plan may be empty and have
// steps: what will go by itself, and can go now.
func (a *Applier) carryOut(ctx context.Context, plan Plan, e Entry) error {
	if len(plan.Steps()) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.Finish {
		ctx = context.WithoutCancel(ctx)
	}
	if err := a.dataplanes[e.Backend].Apply(ctx, plan); err != nil {
		return &applyError{fmt.Errorf("backend %s: applying: %w", e.Backend, err)}
	}
	return a.Verify(ctx, e)
}

// applyError marks what a dataplane's Apply said.
type applyError struct{ error }

func (e *applyError) Unwrap() error { return e.error }

// passing reports whether an error is of what may be over in a moment.
func passing(err error) bool {
	if errors.As(err, new(*MeanwhileError)) || errors.Is(err, ErrDrift) {
		return true
	}
	return slices.ContainsFunc(passingErrnos, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}

// passingErrnos are what the kernel answers while it has no memory or no room in a
// socket's buffer, or while another holds what it needs.
var passingErrnos = []syscall.Errno{
	syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENOBUFS, syscall.EMSGSIZE, syscall.EBUSY, syscall.EMFILE, syscall.ENFILE,
}

// permanent reports whether another try is of no use: reading failed, and not for a
// moment. What an Apply says may be due to what came in between; the next plan
// shows.
func permanent(err error) bool {
	return !passing(err) && !errors.As(err, new(*applyError))
}
