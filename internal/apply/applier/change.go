package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// patience controls how an apply retries.
type patience struct {
	// tries bounds the plans. Between two of them it waits for pause, twice as long
	// each time.
	tries int
	pause time.Duration
	// twice executes a refused plan once more even if it would be the same: a
	// tool may fail temporarily without saying so.
	twice bool
	// once accepts a refusal without reading the kernel again to find out whether
	// another process interfered.
	once bool
}

// patient is for an apply that is requested by itself.
var patient = patience{tries: 5, pause: 100 * time.Millisecond, twice: true}

// impatient is for one of many attempts, some of which are expected to be refused.
var impatient = patience{tries: 2, pause: 10 * time.Millisecond, once: true}

// suspicious is for an apply after a failed change.
var suspicious = patience{tries: 5, pause: 20 * time.Millisecond}

// patienceKey is the context key for another patience.
type patienceKey struct{}

// Hasty returns a context for one of many applies, some of which are expected to be
// refused. Without a temporary error, a refused or ineffective plan is not retried;
// with one it is retried once.
func Hasty(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, impatient)
}

// Suspicious returns a context for an apply after a failed change. Without a temporary
// error, a refused or ineffective plan is not retried, because objects are then tried
// one by one. A hasty context stays hasty.
func Suspicious(ctx context.Context) context.Context {
	if ctx.Value(patienceKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, patienceKey{}, suspicious)
}

// change plans, applies and verifies. It starts again if another process interfered
// between planning and applying, or after a temporary error of the kernel or a
// tool. It returns the first plan, which has the requested steps.
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

// enough reports whether one failure of a plan is enough to expect the next: the
// kernel was read back and as much is left to do as before, or the plan was refused.
func (how patience) enough(plan Plan, err error) bool {
	if how.twice || plan == nil {
		return false
	}
	if d := (*DriftError)(nil); errors.As(err, &d) {
		return slices.Equal(d.Steps, plan.Steps())
	}
	return how.once && !passing(err)
}

// failure describes the failed attempts.
type failure struct {
	err   error
	steps []string
	// times counts consecutive equal failures.
	times int
}

// note counts a failed plan.
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

// forGood reports whether the next plan would fail like the last one: it is equal,
// and was refused or had no effect that could be read back. Temporary errors are not
// for good.
func (f *failure) forGood(next Plan, how patience) bool {
	drift := errors.Is(f.err, ErrDrift)
	if f.times == 0 || passing(f.err) && !drift || !slices.Equal(next.Steps(), f.steps) {
		return false
	}
	return f.times >= 2 || !drift && !how.twice
}

// carryOut applies a plan and verifies the result. An empty plan may have steps:
// removals that would happen by themselves later.
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
	apply := func() error { return plan.Apply(ctx) }
	if quietly := a.Quietly; quietly != nil {
		loudly := apply
		apply = func() error { return quietly(loudly) }
	}
	if err := apply(); err != nil {
		return &applyError{fmt.Errorf("backend %s: applying: %w", e.Backend, err)}
	}
	return a.Verify(ctx, e)
}

// applyError marks an error of a plan's Apply.
type applyError struct{ error }

func (e *applyError) Unwrap() error { return e.error }

// passing reports whether an error is temporary.
func passing(err error) bool {
	if errors.As(err, new(*MeanwhileError)) || errors.Is(err, ErrDrift) {
		return true
	}
	return slices.ContainsFunc(passingErrnos, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}

// passingErrnos are the kernel's errors while it lacks memory or room in a
// socket's buffer, or while another process holds a resource.
var passingErrnos = []syscall.Errno{
	syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENOBUFS, syscall.EMSGSIZE, syscall.EBUSY, syscall.EMFILE, syscall.ENFILE,
}

// permanent reports whether a retry is useless: reading failed with a lasting
// error. An error of Apply may come from another process's change; the next plan
// tells.
func permanent(err error) bool {
	return !passing(err) && !errors.As(err, new(*applyError))
}
