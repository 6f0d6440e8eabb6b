package applier

import (
	"context"
	"fmt"
	"slices"
)

// LeftError says that the new rules serve but another backend's rules, which should
// be removed, remain. The next apply tries again.
type LeftError struct {
	// Serves is the backend of the new rules, and Left the other one.
	Serves, Left string
	Err          error // why the old rules remain
}

// Error names both backends.
func (e *LeftError) Error() string {
	return fmt.Sprintf("the rules of %s are in; removing those of %s: %v", e.Serves, e.Left, e.Err)
}

// Unwrap returns why the rules remain.
func (e *LeftError) Unwrap() error { return e.Err }

// PlanSwitch is [Applier.Plan] including the removal of other backends' rules by an
// apply.
func (a *Applier) PlanSwitch(ctx context.Context, e Entry) (Plan, error) {
	plan, err := a.Plan(ctx, e)
	if err != nil {
		return nil, err
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

// complete removes other backends' rules after the rules of an entry are in. The kernel
// tells which there are, because a record can be lost or belong to another node. The
// record tells which backend to check first, because two that serve conflict.
func (a *Applier) complete(ctx context.Context, e Entry, plan Plan, before string) (Plan, error) {
	if a.alone == e.Backend {
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

// LookAgain makes the next apply look for rules of other backends even if an earlier
// one found none: another process may have added them.
func (a *Applier) LookAgain() { a.alone = "" }

// cleanOther removes a backend's rules, unless they could not be restored.
func (a *Applier) cleanOther(ctx context.Context, name string) ([]string, error) {
	if err := a.spared[name]; err != nil {
		return nil, err
	}
	if a.Finish {
		ctx = context.WithoutCancel(ctx)
	}
	return a.clean(ctx, name)
}

func (a *Applier) doubt(name string, err error) {
	if a.Doubt != nil {
		a.Doubt(fmt.Errorf("whether backend %s has rules here cannot be found out: %w", name, err))
	}
}

// others returns the names of the backends whose rules an apply removes, sorted: all but
// the backend itself, and the one that it serves with.
func (a *Applier) others(backend string) []string {
	return slices.DeleteFunc(a.Backends(), func(name string) bool { return name == backend || name == a.with(backend) })
}

// left describes the rules of a backend. If they cannot be read, it is only an error
// for the backend that served according to the record, and otherwise a doubt.
func (a *Applier) left(ctx context.Context, name string) (steps []string, err error) {
	if steps, err = a.dataplanes[name].Left(ctx); err == nil || a.recordedBackend() == name {
		return steps, err
	}
	a.doubt(name, err)
	return nil, nil
}

// recordedBackend is the backend that last served according to the record, or "".
func (a *Applier) recordedBackend() string {
	served, err := a.record.backend()
	if err != nil {
		return ""
	}
	return served
}

// spare keeps a backend's rules that could not be restored.
func (a *Applier) spare(name string, err error) {
	if a.spared == nil {
		a.spared = make(map[string]error)
	}
	a.spared[name] = err
}

// switched is a plan with the removal of other backends' rules.
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

// Steps implements [Plan]: additions, then removals.
func (s *switched) Steps() []string { return append(slices.Clone(s.Plan.Steps()), s.gone...) }
