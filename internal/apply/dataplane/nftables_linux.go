package dataplane

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// nftablesPlane holds what it was given to change it without looking at all of
// it, once Hold was called.
type nftablesPlane struct {
	held *live.Live
	// text and model are the rules that were read last: planning, verifying and
	// holding one artifact reads it once.
	text  []byte
	model *live.Model
}

func (d *nftablesPlane) parse(a backends.Artifact) (*live.Model, error) {
	text := a.File(rulesFile)
	if d.model != nil && len(text) > 0 && len(text) == len(d.text) && &text[0] == &d.text[0] {
		return d.model, nil
	}
	m, err := live.Parse(text)
	if err != nil {
		return nil, err
	}
	d.text, d.model = text, m
	return m, nil
}

const rulesFile = "rules.nft"

// Plan implements [applier.Dataplane].
func (d *nftablesPlane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	want, err := d.parse(a)
	if err != nil {
		return nil, err
	}
	p, err := live.Verify(ctx, want)
	if err != nil {
		return nil, nftMeanwhile(err)
	}
	return p, nil
}

// nftMeanwhile marks what others' changes were in the way of.
func nftMeanwhile(err error) error {
	if errors.Is(err, live.ErrBusy) || errors.Is(err, live.ErrDrift) {
		return &applier.MeanwhileError{Err: err}
	}
	return err
}

// Apply implements [applier.Dataplane].
func (*nftablesPlane) Apply(ctx context.Context, p applier.Plan) error {
	own, err := nftablesPlan(p)
	if err != nil {
		return err
	}
	if err := live.Apply(ctx, own); err != nil {
		return nftMeanwhile(err)
	}
	return nil
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
	steps, err := live.Clean(ctx)
	return steps, nftMeanwhile(err)
}

// Left implements [applier.Remover].
func (*nftablesPlane) Left(ctx context.Context) ([]string, error) {
	p, err := live.Left(ctx)
	if err != nil {
		return nil, nftMeanwhile(err)
	}
	return p.Steps(), nil
}

// Hold implements [applier.Changer].
func (d *nftablesPlane) Hold(a backends.Artifact) error {
	m, err := d.parse(a)
	if err != nil {
		return err
	}
	// The model changes with what is held from now on.
	d.held, d.text, d.model = live.NewLive(m), nil, nil
	return nil
}

// Change implements [applier.Changer].
func (d *nftablesPlane) Change(ctx context.Context, before, after backends.Artifact) (applier.Plan, error) {
	return d.change(ctx, d.held.Change, before, after)
}

// ChangePolicy implements [applier.PolicyChanger].
func (d *nftablesPlane) ChangePolicy(ctx context.Context, before, after backends.Artifact) (applier.Plan, error) {
	return d.change(ctx, d.held.ChangePolicy, before, after)
}

func (d *nftablesPlane) change(ctx context.Context, plan func(before, after []byte) (*live.Plan, error), before, after backends.Artifact) (applier.Plan, error) {
	p, err := plan(before.File(rulesFile), after.File(rulesFile))
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

// take applies a plan of what is held. Changes of other programs are found by
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
