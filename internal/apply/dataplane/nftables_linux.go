package dataplane

import (
	"context"
	"errors"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// nftablesPlane can also compare policies with the held ones.
type nftablesPlane struct {
	*plane[*live.State, *live.Wanted, *live.Plan]
}

// ChangePolicy implements [applier.PolicyChanger].
func (d nftablesPlane) ChangePolicy(before, after backends.Artifact) (applier.Plan, error) {
	return d.next(d.held.(nftablesHeld).ChangePolicy(before.File(rulesFile), after.File(rulesFile)))
}

const (
	nftablesName = "nftables"
	rulesFile    = "rules.nft"
)

// nftablesKernel is nftables in the calling thread's network namespace.
type nftablesKernel struct{}

func (nftablesKernel) parse(a backends.Artifact) (*live.Wanted, error) {
	return live.ReadFile(a.Named(rulesFile))
}

func (nftablesKernel) observe(ctx context.Context) (*live.State, error) { return live.Observe(ctx) }

func (k nftablesKernel) observeFor(ctx context.Context, _ *live.Wanted, known *live.State) (*live.State, error) {
	if known != nil {
		return known, nil
	}
	return k.observe(ctx)
}

func (nftablesKernel) madeBy(p *live.Plan) *live.Made { return p.Made() }

func (nftablesKernel) rulesOf(have *live.State) *live.State { return have }

func (nftablesKernel) rulesFor(want *live.Wanted) *live.Wanted { return want }

func (nftablesKernel) rulesIn(a backends.Artifact) backends.File { return a.Named(rulesFile) }

func (nftablesKernel) diff(have *live.State, want *live.Wanted) (*live.Plan, error) {
	return have.Plan(want)
}

func (nftablesKernel) apply(ctx context.Context, p *live.Plan) error { return live.Apply(ctx, p) }

func (nftablesKernel) hold(a backends.Artifact, read func(backends.Artifact) (*live.Wanted, error)) (held[*live.Plan], error) {
	m, err := read(a)
	if err != nil {
		return nil, err
	}
	return nftablesHeld{live.Hold(m)}, nil
}

// refused translates the drift of the live package: foreign edits that conflict with
// a transaction make all of it fail.
func (nftablesKernel) refused(err error) error {
	if errors.Is(err, live.ErrDrift) {
		return applier.ErrDrift
	}
	return err
}

func (nftablesKernel) snapshot(ctx context.Context) (*live.Wanted, error) {
	m, err := live.Snapshot(ctx)
	if err != nil || len(m.Tables) == 0 {
		return nil, err
	}
	return live.WantedAs(m), nil
}

// Clean implements [applier.Dataplane].
func (nftablesKernel) Clean(ctx context.Context) ([]string, error) {
	steps, err := live.Clean(ctx)
	return steps, meanwhile(err)
}

// Left implements [applier.Dataplane].
func (nftablesKernel) Left(ctx context.Context) ([]string, error) {
	p, err := live.Left(ctx)
	if err != nil {
		return nil, meanwhile(err)
	}
	return p.Steps(), nil
}

// nftablesHeld passes the artifact's file to the held model.
type nftablesHeld struct{ *live.Live }

func (h nftablesHeld) Change(before, after backends.Artifact) (*live.Plan, error) {
	return h.Live.Change(before.File(rulesFile), after.File(rulesFile))
}

func (h nftablesHeld) Replace(whole backends.Artifact) (*live.Plan, error) {
	return h.Live.Replace(whole.File(rulesFile))
}

func (h nftablesHeld) rules() *live.Live { return h.Live }
