package dataplane

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	"github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// iptablesPlane finds the variant of iptables when it is first used.
type iptablesPlane struct {
	tools *live.Tools
	// held is what was applied, once Hold was called.
	held *live.Held
	want remembered[*live.State]
}

// IPTables is the dataplane of one variant, "legacy" or "nft".
func IPTables(variant string) applier.Dataplane {
	return &iptablesPlane{tools: &live.Tools{Variant: variant, LockWait: live.DefaultLockWait}}
}

func (d *iptablesPlane) detect(ctx context.Context) (err error) {
	if d.tools == nil {
		d.tools, err = live.Detect(ctx)
	}
	return err
}

// Plan implements [applier.Dataplane].
func (d *iptablesPlane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	want, err := d.want.read(a, live.Parse)
	if err != nil {
		return nil, err
	}
	if err := d.detect(ctx); err != nil {
		return nil, err
	}
	have, err := d.tools.Observe(ctx)
	if err != nil {
		return nil, meanwhile(err)
	}
	// The ipvs backend knows by its sets which virtual services are its own: it
	// takes them away itself.
	return live.NewPlan(have.Without(ipvslive.OwnSet), want), nil
}

// Apply implements [applier.Dataplane].
func (d *iptablesPlane) Apply(ctx context.Context, p applier.Plan) error {
	own, ok := p.(*live.Plan)
	if !ok {
		return fmt.Errorf("a plan of another backend: %T", p)
	}
	return meanwhile(d.tools.Apply(ctx, own))
}

// meanwhile marks what an apply may meet when the rules of another process came to
// the kernel after this one had looked: a set that was not in use is, a member or a
// chain is there or is gone, and the lock is held.
func meanwhile(err error) error {
	for _, known := range []error{live.ErrForeignSet, live.ErrMeanwhile, live.ErrLocked} {
		if errors.Is(err, known) {
			return &applier.MeanwhileError{Err: err}
		}
	}
	return err
}

// Clean implements [applier.Dataplane]. Rules of the ipvs backend, which have the
// same prefixes, stay.
func (d *iptablesPlane) Clean(ctx context.Context) ([]string, error) {
	p, err := d.left(ctx)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Steps(), d.tools.Apply(ctx, p)
}

// Left implements [applier.Remover].
func (d *iptablesPlane) Left(ctx context.Context) ([]string, error) {
	p, err := d.left(ctx)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Steps(), nil
}

// left is the plan that removes everything; nil is nothing.
func (d *iptablesPlane) left(ctx context.Context) (*live.Plan, error) {
	have, err := d.own(ctx)
	if err != nil || have == nil {
		return nil, err
	}
	return live.NewPlan(have, live.Nothing()), nil
}

// own is what the kernel has of this backend; nil is nothing.
func (d *iptablesPlane) own(ctx context.Context) (*live.State, error) {
	err := d.detect(ctx)
	if err == nil {
		var have *live.State
		if have, err = d.tools.Observe(ctx); err == nil && !ipvslive.OwnRules(have) {
			return have.Without(ipvslive.OwnSet), nil
		}
	}
	if absent(err) {
		return nil, nil
	}
	return nil, err
}

// absent reports whether an error says that nothing can be there: an apply needs the
// programs, and the kernel's part of them.
func absent(err error) bool {
	return errors.Is(err, live.ErrNoTools) || errors.Is(err, live.ErrNoKernel)
}

// Hold implements [applier.Changer].
func (d *iptablesPlane) Hold(a backends.Artifact) error {
	d.held = live.Hold(a)
	d.want.forget()
	return nil
}

// Change implements [applier.Changer].
func (d *iptablesPlane) Change(ctx context.Context, before, after backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Change(before, after)
	if errors.Is(err, live.ErrStructure) {
		return nil, applier.ErrWhole
	}
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// Replace implements [applier.Changer].
func (d *iptablesPlane) Replace(ctx context.Context, whole backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Replace(whole)
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// take applies a plan of what is held.
func (d *iptablesPlane) take(ctx context.Context, p *live.Plan) error {
	if err := d.detect(ctx); err != nil {
		return err
	}
	if err := d.tools.Apply(ctx, p); err != nil {
		return drifted(err)
	}
	d.held.Commit(p)
	return nil
}

// drifted takes what the kernel does not do for a difference between what is held
// and what is there. An apply of the whole finds out; if it is something else,
// that fails too and says what it is.
func drifted(err error) error {
	for _, known := range []error{live.ErrNoTools, live.ErrPrivileges, live.ErrLocked, ipvslive.ErrNoIPVS, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", applier.ErrDrift, err)
}
