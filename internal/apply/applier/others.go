package applier

import (
	"context"
	"fmt"
	"slices"
)

// LeftError says that the new rules serve, and that those of another backend, which
// should go, are still there. The next apply tries again.
type LeftError struct {
	// Serves is the backend whose rules are in, and Left the other one.
	Serves, Left string
	Err          error
}

// Error names both.
func (e *LeftError) Error() string {
	return fmt.Sprintf("the rules of %s are in; removing those of %s: %v", e.Serves, e.Left, e.Err)
}

// Unwrap returns why they are there.
func (e *LeftError) Unwrap() error { return e.Err }

// PlanSwitch is [Applier.Plan] with what is there of other backends, which an apply
// removes.
func (a *Applier) PlanSwitch(ctx context.Context, e Entry) (Plan, error) {
	plan, err := a.Plan(ctx, e)
	if err != nil || a.Missing(e.Backend) != "" {
		return plan, err
	}
	var gone []string
	for _, name := range a.others(e.Backend) {
		steps, err := a.left(ctx, name)
		if err != nil {
			return nil, err
		}
		gone = append(gone, steps...)
	}
	return andGone(plan, gone), nil
}

// complete removes what is there of other backends, once the rules of an entry are in.
// The kernel says what that is: a record can be lost, or be of another node. It says
// which one is looked at first, because two that serve are in each other's way.
func (a *Applier) complete(ctx context.Context, e Entry, plan Plan, before string) (Plan, error) {
	if a.alone == e.Backend || a.Missing(e.Backend) != "" {
		return plan, nil
	}
	names := a.others(e.Backend)
	if i := slices.Index(names, before); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, before)
	}
	var gone []string
	certain := true
	for _, name := range names {
		steps, err := a.cleanOther(ctx, name)
		gone = append(gone, steps...)
		if err == nil {
			continue
		}
		if len(steps) > 0 || name == before {
			return andGone(plan, gone), &LeftError{Serves: e.Backend, Left: name, Err: err}
		}
		a.doubt(name, err)
		certain = false
	}
	if certain {
		a.alone = e.Backend
	}
	return andGone(plan, gone), nil
}

// LookAgain has the next apply look for what other backends have in the kernel, though
// an earlier one found nothing: another process may have put it there.
func (a *Applier) LookAgain() { a.alone = "" }

// cleanOther removes what is there of a backend, unless there would be no way back.
func (a *Applier) cleanOther(ctx context.Context, name string) ([]string, error) {
	if err := a.spared[name]; err != nil {
		return nil, err
	}
	if a.Finish {
		ctx = context.WithoutCancel(ctx)
	}
	return a.Clean(ctx, name)
}

func (a *Applier) doubt(name string, err error) {
	if a.Doubt != nil {
		a.Doubt(fmt.Errorf("whether backend %s has rules here cannot be found out: %w", name, err))
	}
}

// others are the names of all other backends, sorted.
func (a *Applier) others(backend string) []string {
	return slices.DeleteFunc(a.Backends(), func(name string) bool { return name == backend })
}

// left says what is there of a backend. Where that cannot be found out it is a doubt,
// and an error only for a backend of which the record says that it served.
func (a *Applier) left(ctx context.Context, name string) (steps []string, err error) {
	if steps, err = a.dataplanes[name].Left(ctx); err == nil || a.recordedBackend() == name {
		return steps, err
	}
	a.doubt(name, err)
	return nil, nil
}

// recordedBackend is the one of which the record says that it served last, or "".
func (a *Applier) recordedBackend() string {
	served, err := a.record.backend()
	if err != nil {
		return ""
	}
	return served
}

// spare leaves a backend alone, to which there would be no way back.
func (a *Applier) spare(name string, err error) {
	if a.spared == nil {
		a.spared = make(map[string]error)
	}
	a.spared[name] = err
}

// switched is a plan with what went of other backends.
type switched struct {
	Plan
	gone []string
}

func andGone(p Plan, gone []string) Plan {
	if len(gone) == 0 {
		return p
	}
	return &switched{p, gone}
}

// Empty implements [Plan].
func (s *switched) Empty() bool { return false }

// Steps implements [Plan]: what comes, then what goes.
func (s *switched) Steps() []string { return append(slices.Clone(s.Plan.Steps()), s.gone...) }
