package dataplane

import (
	"context"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs/live"
)

// ipvsKernel is IPVS in the calling thread's network namespace.
type ipvsKernel struct {
	tools tools
	// last is the last plan, which knows the draining endpoints.
	last *live.Plan
}

func (k *ipvsKernel) find(ctx context.Context) (*live.Kernel, error) {
	t, err := k.tools.find(ctx)
	if err != nil {
		return nil, err
	}
	return live.New(t), nil
}

func (*ipvsKernel) parse(a backends.Artifact) (*live.State, error) { return live.Parse(a) }

func (k *ipvsKernel) observe(ctx context.Context) (*live.State, error) {
	found, err := k.find(ctx)
	if err != nil {
		return nil, err
	}
	return found.Observe(ctx)
}

func (k *ipvsKernel) diff(have, want *live.State) (*live.Plan, error) {
	k.last = live.NewPlan(have, want)
	return k.last, nil
}

func (k *ipvsKernel) apply(ctx context.Context, p *live.Plan) error {
	found, err := k.find(ctx)
	if err != nil {
		return err
	}
	return found.Apply(ctx, p)
}

func (k *ipvsKernel) hold(a backends.Artifact, _ func(backends.Artifact) (*live.State, error)) (held[*live.Plan], error) {
	return live.Hold(a, k.last), nil
}

func (*ipvsKernel) refused(err error) error { return drifted(err) }

// Clean implements [applier.Dataplane].
func (k *ipvsKernel) Clean(ctx context.Context) ([]string, error) {
	return k.there(ctx, (*live.Kernel).Clean)
}

// Left implements [applier.Dataplane].
func (k *ipvsKernel) Left(ctx context.Context) ([]string, error) {
	return k.there(ctx, (*live.Kernel).Left)
}

// there calls do if the kernel can have rules; otherwise it returns none.
func (k *ipvsKernel) there(ctx context.Context, do func(*live.Kernel, context.Context) ([]string, error)) (steps []string, err error) {
	found, err := k.find(ctx)
	if err == nil {
		steps, err = do(found, ctx)
	}
	if len(steps) == 0 && absent(err) {
		return nil, nil
	}
	return steps, err
}

func (k *ipvsKernel) snapshot(ctx context.Context) (had *live.State, err error) {
	found, err := k.find(ctx)
	if err == nil {
		had, err = found.Snapshot(ctx)
	}
	if absent(err) {
		return nil, nil
	}
	return had, err
}
