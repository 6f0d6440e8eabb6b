package applier

import (
	"context"
	"errors"
	"fmt"
)

// Preview says what a clean or a rollback would do.
type Preview struct {
	// Steps are the changes in order, one line each.
	Steps []string
	// InSync reports whether the kernel has what the change leads to already. There may still
	// be steps, which clean up.
	InSync bool
}

// PreviewClean is what [Applier.Clean] would remove, without a change.
func (a *Applier) PreviewClean(ctx context.Context, backend string) (Preview, error) {
	steps, err := a.found(ctx, backend)
	if with := a.with(backend); with != "" && a.dataplanes[with] != nil && err == nil {
		more, failed := a.found(ctx, with)
		steps, err = append(steps, more...), failed
	}
	return removal(steps), err
}

// PreviewCleanAll is what [Applier.CleanAll] would remove, without a change. A backend that
// cannot be read is in the error, and hides no other one.
func (a *Applier) PreviewCleanAll(ctx context.Context) (Preview, error) {
	var steps []string
	var errs []error
	for _, name := range a.Backends() {
		words, err := a.found(ctx, name)
		steps, errs = append(steps, words...), append(errs, err)
	}
	return removal(steps), errors.Join(errs...)
}

// PreviewRollback is what [Applier.Rollback] would do, without a change; its errors are the
// same. An entry without a backend says that all rules would be removed.
func (a *Applier) PreviewRollback(ctx context.Context) (Entry, Preview, error) {
	last, previous, err := a.before()
	if err != nil {
		return last, Preview{}, err
	}
	if previous.Backend == "" {
		p, err := a.PreviewClean(ctx, last.Backend)
		return previous, p, err
	}
	plan, err := a.PlanSwitch(ctx, previous)
	if err != nil {
		return previous, Preview{}, err
	}
	return previous, Preview{Steps: plan.Steps(), InSync: plan.Empty()}, nil
}

// found describes a backend's rules in the kernel, in the words of a clean.
func (a *Applier) found(ctx context.Context, backend string) ([]string, error) {
	d, err := a.dataplane(backend)
	if err != nil {
		return nil, err
	}
	steps, err := d.Left(ctx)
	if err != nil {
		return nil, fmt.Errorf("backend %s: looking for its rules: %w", backend, err)
	}
	return steps, nil
}

func removal(steps []string) Preview { return Preview{Steps: steps, InSync: len(steps) == 0} }
