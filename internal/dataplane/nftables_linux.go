package dataplane

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/applier"
)

// nftablesPlane holds what it was given to change it without looking at all of
// it, once Hold was called.
type nftablesPlane struct{ held *live.Live }

const rulesFile = "rules.nft"

// Plan implements [applier.Dataplane].
func (*nftablesPlane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	want, err := live.Parse(a.File(rulesFile))
	if err != nil {
		return nil, err
	}
	return live.Verify(ctx, want)
}

// Apply implements [applier.Dataplane].
func (*nftablesPlane) Apply(ctx context.Context, p applier.Plan) error {
	own, err := nftablesPlan(p)
	if err != nil {
		return err
	}
	return live.Apply(ctx, own)
}

func nftablesPlan(p applier.Plan) (*live.Plan, error) {
	own, ok := p.(*live.Plan)
	if !ok {
		return nil, fmt.Errorf("a plan of another backend: %T", p)
	}
	return own, nil
}

// Clean implements [applier.Dataplane].
func (*nftablesPlane) Clean(ctx context.Context) ([]string, error) {
	p, err := live.Verify(ctx, &live.Model{})
	if err != nil {
		return nil, err
	}
	return p.Steps(), live.Clean(ctx)
}

// Hold implements [applier.Changer].
func (d *nftablesPlane) Hold(a backends.Artifact) error {
	m, err := live.Parse(a.File(rulesFile))
	if err != nil {
		return err
	}
	d.held = live.NewLive(m)
	return nil
}

// Change implements [applier.Changer].
func (d *nftablesPlane) Change(ctx context.Context, before, after backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Change(before.File(rulesFile), after.File(rulesFile))
	if errors.Is(err, live.ErrStructure) {
		return nil, applier.ErrWhole
	}
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// Replace implements [applier.Changer].
func (d *nftablesPlane) Replace(ctx context.Context, whole backends.Artifact) (applier.Plan, error) {
	p, err := d.held.Replace(whole.File(rulesFile))
	if err != nil {
		return nil, err
	}
	return p, d.take(ctx, p)
}

// take applies a plan of what is held. Somebody else's changes are found by
// the kernel where they are in the way.
func (d *nftablesPlane) take(ctx context.Context, p *live.Plan) error {
	err := live.Apply(ctx, p)
	if errors.Is(err, live.ErrDrift) {
		return applier.ErrDrift
	}
	if err != nil {
		return err
	}
	d.held.Commit(p)
	return nil
}
