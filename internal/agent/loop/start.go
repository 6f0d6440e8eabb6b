package loop

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/input/inbox"
)

// ErrNothing means that the agent did not start, because its objects leave nothing
// to serve but the kernel serves something.
var ErrNothing = errors.New("the objects leave nothing to serve, and the kernel serves something, which stays: --allow-empty removes it")

// first compiles everything and applies it over the existing rules. While the
// kernel's rules must be kept, it only updates the objects.
func (a *Agent) first(ctx context.Context, batch *inbox.Batch) (applier.Plan, error) {
	if batch.Update.LocalAddresses != nil {
		a.Settings.LocalAddresses = batch.Update.LocalAddresses
	}
	if batch.Update.Domains != nil {
		a.Settings.Domains = batch.Update.Domains
	}
	if a.objects == nil {
		set := batch.Set()
		a.objects = compiler.NewIncremental(&set, a.Node, a.Settings)
	} else {
		a.objects.Apply(batch.Update)
	}
	a.spared = false
	if a.Spare != nil && a.objects.Empty() {
		spare, err := a.Spare(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking whether the kernel serves something: %w", err)
		}
		if a.spared = spare; spare {
			return nil, ErrNothing
		}
	}
	if a.Begin != nil && !a.begun {
		a.Begin()
	}
	a.begun = true
	a.session = session.New(a.objects, a.Backend, a.Applier)
	a.session.General = a.General
	plan, err := a.session.Apply(ctx)
	if err == nil {
		a.Log.Info("the first rules are in the kernel", "services", len(batch.Update.Services), "slices", len(batch.Update.Slices), "steps", len(plan.Steps()))
	}
	return plan, err
}
