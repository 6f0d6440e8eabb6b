package applier

import (
	"context"
	"fmt"
)

// Hold records that the kernel has the rules of an entry, which was applied.
// [Applier.Change] and [Applier.Replace] then change it without a read or a record.
func (a *Applier) Hold(e Entry) error {
	d, err := a.dataplane(e.Backend)
	if err != nil {
		return err
	}
	if err := d.Hold(e.Artifact); err != nil {
		return fmt.Errorf("backend %s: %w", e.Backend, err)
	}
	return nil
}

// Change applies the difference of two fragments of the held artifact, see
// [Dataplane]. It returns the executed plan.
func (a *Applier) Change(ctx context.Context, before, after Entry) (Plan, error) {
	return a.next(ctx, after.Backend, func(d Dataplane) (Plan, error) { return d.Change(before.Artifact, after.Artifact) })
}

// ChangesPolicies reports whether a backend's dataplane is a [PolicyChanger].
func (a *Applier) ChangesPolicies(backend string) bool {
	_, ok := a.dataplanes[backend].(PolicyChanger)
	return ok
}

// ChangePolicy is Change of a [PolicyChanger]; other dataplanes return [ErrWhole].
func (a *Applier) ChangePolicy(ctx context.Context, before, after Entry) (Plan, error) {
	return a.next(ctx, after.Backend, func(d Dataplane) (Plan, error) {
		p, ok := d.(PolicyChanger)
		if !ok {
			return nil, ErrWhole
		}
		return p.ChangePolicy(before.Artifact, after.Artifact)
	})
}

// Replace brings the kernel from the held state to an entry.
func (a *Applier) Replace(ctx context.Context, whole Entry) (Plan, error) {
	return a.next(ctx, whole.Backend, func(d Dataplane) (Plan, error) { return d.Replace(whole.Artifact) })
}

// next executes a plan from the held state.
func (a *Applier) next(ctx context.Context, backend string, plan func(Dataplane) (Plan, error)) (Plan, error) {
	d, err := a.dataplane(backend)
	if err != nil {
		return nil, err
	}
	p, err := plan(d)
	if err != nil {
		return nil, err
	}
	return p, p.Apply(ctx)
}
