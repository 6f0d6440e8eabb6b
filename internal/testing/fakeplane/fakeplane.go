// Package fakeplane has a dataplane without a kernel, for tests of what drives
// dataplanes.
package fakeplane

import (
	"context"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
)

// Nothing is a dataplane that has nothing, changes nothing and reads nothing. What is
// held of it is never what is there, so all changes are of the whole. Tests embed it in
// what does more.
type Nothing struct{}

// Plan implements [applier.Dataplane].
func (Nothing) Plan(context.Context, backends.Artifact) (applier.Plan, error) { return Plan{}, nil }

// Left implements [applier.Dataplane].
func (Nothing) Left(context.Context) ([]string, error) { return nil, nil }

// Clean implements [applier.Dataplane].
func (Nothing) Clean(context.Context) ([]string, error) { return nil, nil }

// Hold implements [applier.Dataplane].
func (Nothing) Hold(backends.Artifact) error { return nil }

// Change implements [applier.Dataplane].
func (Nothing) Change(_, _ backends.Artifact) (applier.Plan, error) { return nil, applier.ErrWhole }

// Replace implements [applier.Dataplane].
func (Nothing) Replace(backends.Artifact) (applier.Plan, error) { return nil, applier.ErrDrift }

// Snapshot implements [applier.Dataplane].
func (Nothing) Snapshot(context.Context) (func(context.Context) error, error) { return nil, nil }

// Served implements [applier.Dataplane].
func (Nothing) Served(context.Context) (backends.Served, error) { return backends.Served{}, nil }

// Read implements [applier.Dataplane].
func (Nothing) Read(backends.Artifact) (backends.Served, error) { return backends.Served{}, nil }

// Plan has these steps; Do carries them out, where it is not nil.
type Plan struct {
	List []string
	New  bool
	Do   func(context.Context) error
}

// Empty implements [applier.Plan].
func (p Plan) Empty() bool { return len(p.List) == 0 }

// Steps implements [applier.Plan].
func (p Plan) Steps() []string { return p.List }

// FromNothing implements [applier.Plan].
func (p Plan) FromNothing() bool { return p.New }

// Apply implements [applier.Plan].
func (p Plan) Apply(ctx context.Context) error {
	if p.Do == nil {
		return nil
	}
	return p.Do(ctx)
}
