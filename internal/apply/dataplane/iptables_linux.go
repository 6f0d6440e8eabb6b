package dataplane

import (
	"context"

	"github.com/planec/planec/backends"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	"github.com/planec/planec/backends/xtables/live"
)

// tools are the programs of one variant of iptables; nil until detected.
type tools struct{ *live.Tools }

func (t *tools) find(ctx context.Context) (_ *live.Tools, err error) {
	if t.Tools == nil {
		t.Tools, err = live.Detect(ctx)
	}
	return t.Tools, err
}

// iptablesKernel is the kernel as seen by iptables and ipset.
type iptablesKernel struct{ tools tools }

func (*iptablesKernel) parse(a backends.Artifact) (*live.State, error) { return live.Parse(a) }

func (k *iptablesKernel) observe(ctx context.Context) (*live.State, error) {
	t, err := k.tools.find(ctx)
	if err != nil {
		return nil, err
	}
	return t.Observe(ctx)
}

// diff keeps the sets of the ipvs backend, which have the same prefixes. That
// backend recognises its virtual services by them and removes them itself.
func (*iptablesKernel) diff(have, want *live.State) (*live.Plan, error) {
	return live.NewPlan(have.Without(ipvslive.OwnSet), want), nil
}

func (k *iptablesKernel) apply(ctx context.Context, p *live.Plan) error {
	t, err := k.tools.find(ctx)
	if err != nil {
		return err
	}
	return t.Apply(ctx, p)
}

func (*iptablesKernel) hold(a backends.Artifact, _ func(backends.Artifact) (*live.State, error)) (held[*live.Plan], error) {
	return live.Hold(a), nil
}

func (*iptablesKernel) refused(err error) error { return drifted(err) }

// Clean implements [applier.Dataplane]. It keeps rules of the ipvs backend.
func (k *iptablesKernel) Clean(ctx context.Context) ([]string, error) {
	p, err := k.left(ctx)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Steps(), k.tools.Apply(ctx, p)
}

// Left implements [applier.Dataplane].
func (k *iptablesKernel) Left(ctx context.Context) ([]string, error) {
	p, err := k.left(ctx)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Steps(), nil
}

// left is the plan that removes all rules; nil if there are none.
func (k *iptablesKernel) left(ctx context.Context) (*live.Plan, error) {
	have, err := k.own(ctx)
	if err != nil || have == nil {
		return nil, err
	}
	return live.NewPlan(have, live.Nothing()), nil
}

// own returns this backend's rules in the kernel; nil if there are none.
func (k *iptablesKernel) own(ctx context.Context) (*live.State, error) {
	have, err := k.observe(ctx)
	if err == nil && !ipvslive.OwnRules(have) {
		return have.Without(ipvslive.OwnSet), nil
	}
	if absent(err) {
		return nil, nil
	}
	return nil, err
}

func (k *iptablesKernel) snapshot(ctx context.Context) (*live.State, error) {
	have, err := k.own(ctx)
	if err != nil || have == nil {
		return nil, err
	}
	if own := have.Settled(); !own.Empty() {
		return own, nil
	}
	return nil, nil
}
