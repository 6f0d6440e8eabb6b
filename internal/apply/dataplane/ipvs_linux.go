package dataplane

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// ipvsPlane finds the variant of iptables when it is first used.
type ipvsPlane struct {
	kernel *live.Kernel
	// last is the plan that was made last: it knows what is draining.
	last *live.Plan
	held *live.Held
	want remembered[*live.State]
}

// IPVS is the dataplane with one variant of iptables, "legacy" or "nft".
func IPVS(variant string) applier.Dataplane {
	return &ipvsPlane{kernel: live.New(&xtlive.Tools{Variant: variant, LockWait: xtlive.DefaultLockWait})}
}

func (d *ipvsPlane) detect(ctx context.Context) error {
	if d.kernel != nil {
		return nil
	}
	tools, err := xtlive.Detect(ctx)
	if err == nil {
		d.kernel = live.New(tools)
	}
	return err
}

// Plan implements [applier.Dataplane].
func (d *ipvsPlane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	want, err := d.want.read(a, live.Parse)
	if err != nil {
		return nil, err
	}
	if err := d.detect(ctx); err != nil {
		return nil, err
	}
	have, err := d.kernel.Observe(ctx)
	if err != nil {
		return nil, meanwhile(err)
	}
	d.last = live.NewPlan(have, want)
	return d.last, nil
}

// Apply implements [applier.Dataplane].
func (d *ipvsPlane) Apply(ctx context.Context, p applier.Plan) error {
	own, ok := p.(*live.Plan)
	if !ok {
		return fmt.Errorf("a plan of another backend: %T", p)
	}
	return meanwhile(d.kernel.Apply(ctx, own))
}

// Clean implements [applier.Dataplane]. Without iptables nothing can be there: an
// apply needs it.
func (d *ipvsPlane) Clean(ctx context.Context) ([]string, error) {
	return d.there(ctx, (*live.Kernel).Clean)
}

// Left implements [applier.Remover].
func (d *ipvsPlane) Left(ctx context.Context) ([]string, error) {
	return d.there(ctx, (*live.Kernel).Left)
}

// there does something with what is there; where nothing can be, it is nothing.
func (d *ipvsPlane) there(ctx context.Context, do func(*live.Kernel, context.Context) ([]string, error)) (steps []string, err error) {
	if err = d.detect(ctx); err == nil {
		steps, err = do(d.kernel, ctx)
	}
	if len(steps) == 0 && absent(err) {
		return nil, nil
	}
	return steps, err
}

// Hold implements [applier.Changer].
func (d *ipvsPlane) Hold(a backends.Artifact) error {
	d.held = live.Hold(a, d.last)
	d.want.forget()
	return nil
}

// Change implements [applier.Changer].
func (d *ipvsPlane) Change(ctx context.Context, before, after backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Change(before, after)
	if errors.Is(err, xtlive.ErrStructure) {
		return nil, applier.ErrWhole
	}
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// Replace implements [applier.Changer].
func (d *ipvsPlane) Replace(ctx context.Context, whole backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Replace(whole)
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// take applies a plan of what is held.
func (d *ipvsPlane) take(ctx context.Context, p *live.Plan) error {
	if err := d.detect(ctx); err != nil {
		return err
	}
	if err := d.kernel.Apply(ctx, p); err != nil {
		return drifted(err)
	}
	d.held.Commit(p)
	return nil
}
