//go:build !js

package cli

import (
	"context"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/isolate"
	"github.com/planec/planec/internal/apply/podroutes"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// compiled is the input of an apply, with its objects: objects that the kernel
// refuses are found and given up, and everything else is applied. Files that were
// compiled earlier have no objects.
type compiled struct {
	applier.Entry
	backend backends.Backend
	program *ir.Program
	// routes are the input of pod routes; nil if they are off, or files say the rules.
	routes *podroutes.Input
	// refused are the objects that the kernel refused.
	refused diag.List
	// report prints findings and returns an error if they are a failure.
	report func(diag.List) error
}

// install applies as much as possible. The entry becomes what was applied.
func (c *compiled) install(ctx context.Context, a *applier.Applier) (applier.Plan, error) {
	plan, err := a.Install(ctx, c.Entry)
	if err == nil || c.program == nil || ctx.Err() != nil || dataplane.General(err) {
		return plan, err
	}
	attempt := func(ctx context.Context, set failsafe.Set) error {
		artifact, err := isolate.Emit(c.backend, failsafe.Program(c.program, set))
		if err != nil {
			return err
		}
		e := applier.Entry{Backend: c.Backend, Artifact: artifact}
		p, err := a.Install(applier.Hasty(ctx), e)
		if err == nil {
			c.Entry, plan = e, p
		}
		return err
	}
	set, failed := isolate.Find(ctx, attempt, nil, [][]failsafe.Object{failsafe.Of(c.program)}, err)
	if failed != nil {
		return plan, failed
	}
	origins := failsafe.Origins(c.program)
	for _, o := range set.Sorted() {
		c.refused.Add(diag.KernelRefused, origins[o], err.Error())
	}
	c.program = failsafe.Program(c.program, set)
	return plan, nil
}
