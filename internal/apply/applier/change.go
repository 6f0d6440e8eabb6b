package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// patience is how an apply meets what stands in its way.
type patience struct {
	// tries bounds the plans that it makes; between two it waits, pause at first and
	// twice as long each time.
	tries int
	pause time.Duration
	// twice is whether a plan that was refused, and would be the same again, is
	// carried out once more: a tool may fail for a moment without a word of it.
	twice bool
	// once is whether a refusal is believed without another look at the kernel, which
	// would show whether another process was at work.
	once bool
}

// patient is for an apply that is all that is asked for.
var patient = patience{tries: 5, pause: 100 * time.Millisecond, twice: true}

// impatient is for one of many, of which some are expected to be refused.
var impatient = patience{tries: 2, pause: 10 * time.Millisecond, once: true}

// suspicious is for one that follows a change which failed.
var suspicious = patience{tries: 5, pause: 20 * time.Millisecond}

// patienceKey is the key of a context for applies with another patience.
type patienceKey struct{}

// Hasty returns a context for an apply that is one of many, of which some are
// expected to be refused: what is refused without being for a moment, or changes
// nothing that is read back, is not tried again, and what may be for a moment once.
func Hasty(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, impatient)
}

// Suspicious returns a context for an apply that follows a change which failed: what
// is refused without being for a moment, or changes nothing that is read back, is not
// tried again, since objects are tried one by one then. In a hasty context it is hasty.
func Suspicious(ctx context.Context) context.Context {
	if ctx.Value(patienceKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, patienceKey{}, suspicious)
}

// change plans, applies and verifies, and begins again where another process was at
// work between looking and changing, or where the kernel or a tool could not answer
// for a moment. It returns the first plan, which has the steps that were asked for.
func (a *Applier) change(ctx context.Context, e Entry) (Plan, error) {
	how, ok := ctx.Value(patienceKey{}).(patience)
	if !ok {
		how = patient
	}
	var first Plan
	var last failure
	for try := 1; ; try++ {
		plan, err := a.Plan(ctx, e)
		if first == nil && err == nil {
			first = plan
		}
		if err == nil {
			if last.forGood(plan, how) {
				return first, last.err
			}
			err = a.carryOut(ctx, plan, e)
		}
		if err == nil || try == how.tries || ctx.Err() != nil || permanent(err) || how.enough(plan, err) {
			return first, err
		}
		last.note(plan, err)
		select {
		case <-ctx.Done():
			return first, err
		case <-time.After(how.pause << (try - 1)):
		}
	}
}

// enough reports whether one failure of a plan tells that the next one would fail as
// well: it was read back, and as much as before is to be done, or it was refused.
func (how patience) enough(plan Plan, err error) bool {
	if how.twice || plan == nil {
		return false
	}
	if d := (*DriftError)(nil); errors.As(err, &d) {
		return slices.Equal(d.Steps, plan.Steps())
	}
	return how.once && !passing(err)
}

// failure is what is known of the tries that failed.
type failure struct {
	err   error
	steps []string
	// times is how often it was the same, one after the other.
	times int
}

// note counts a plan that failed.
func (f *failure) note(plan Plan, err error) {
	if f.err = err; plan == nil {
		f.steps, f.times = nil, 0
		return
	}
	steps := plan.Steps()
	if slices.Equal(steps, f.steps) {
		f.times++
	} else {
		f.times = 1
	}
	f.steps = steps
}

// forGood reports whether the next plan would fail as the last one did: it is the
// same, and was refused, or changed nothing that was read back. What may be over in a
// moment is not for good.
func (f *failure) forGood(next Plan, how patience) bool {
	drift := errors.Is(f.err, ErrDrift)
	if f.times == 0 || passing(f.err) && !drift || !slices.Equal(next.Steps(), f.steps) {
		return false
	}
	return f.times >= 2 || !drift && !how.twice
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
	if err := plan.Apply(ctx); err != nil {
		return &applyError{fmt.Errorf("backend %s: applying: %w", e.Backend, err)}
	}
	return a.Verify(ctx, e)
}

// applyError marks what a plan's Apply said.
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
