package dataplane

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/planec/planec/backends"
	ebpflive "github.com/planec/planec/backends/ebpf/live"
	nftlive "github.com/planec/planec/backends/nftables/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// kernel is one backend's part of the kernel, as its live package has it. S is the
// kernel's state, M an artifact's model, and P the plan from one to the other.
type kernel[S shown, M model, P steps] interface {
	// parse parses an artifact. What is left of it to be read is read by diff, or if the model is
	// [partial].
	parse(a backends.Artifact) (M, error)
	// observe reads the kernel.
	observe(ctx context.Context) (S, error)
	// diff returns the plan.
	diff(have S, want M) (P, error)
	// apply executes the plan.
	apply(ctx context.Context, p P) error
	// hold holds an artifact that the kernel has; read is parse with a cache.
	hold(a backends.Artifact, read func(backends.Artifact) (M, error)) (held[P], error)
	// refused translates an error of applying a plan from held state.
	refused(err error) error
	// snapshot reads the backend's rules to restore them later; the zero value
	// means none.
	snapshot(ctx context.Context) (M, error)
	// Left and Clean are as in [applier.Dataplane].
	Left(ctx context.Context) ([]string, error)
	Clean(ctx context.Context) ([]string, error)
}

// shown describes its frontends, endpoints and pods.
type shown interface{ Served() backends.Served }

type model interface {
	comparable
	shown
}

// partial is a model of which a part is read when it is needed.
type partial interface {
	// Complete reads it now.
	Complete() error
}

// steps is a live package's plan.
type steps interface {
	Empty() bool
	FromNothing() bool
	Steps() []string
}

// held is the known state of the kernel. It plans changes without reading the
// kernel. Commit records that the kernel took the last plan.
type held[P steps] interface {
	Change(before, after backends.Artifact) (P, error)
	Replace(whole backends.Artifact) (P, error)
	Commit(p P)
}

// plane is the dataplane for a kernel.
type plane[S shown, M model, P steps] struct {
	kernel[S, M, P]
	// last caches the parsed artifact of: planning, verifying and holding parse it
	// only once. The zero value is none.
	of   backends.Artifact
	last M
	held held[P]
	seals
}

func newPlane[S shown, M model, P steps](k kernel[S, M, P]) *plane[S, M, P] {
	return &plane[S, M, P]{kernel: k}
}

func (d *plane[S, M, P]) read(a backends.Artifact) (M, error) {
	same := func(f, g backends.File) bool { return f.Name == g.Name && bytes.Equal(f.Data, g.Data) }
	if none := *new(M); d.last != none && slices.EqualFunc(d.of.Files, a.Files, same) {
		return d.last, nil
	}
	m, err := d.parse(a)
	if err == nil {
		d.of, d.last = a, m
	}
	return m, err
}

// Plan implements [applier.Dataplane].
func (d *plane[S, M, P]) Plan(ctx context.Context, want backends.Artifact) (applier.Plan, error) {
	m, err := d.read(want)
	if err != nil {
		return nil, err
	}
	return d.to(ctx, m)
}

func (d *plane[S, M, P]) to(ctx context.Context, want M) (applier.Plan, error) {
	have, err := d.look(ctx, want)
	if err != nil {
		return nil, meanwhile(err)
	}
	p, err := d.diff(have, want)
	if err != nil {
		return nil, err
	}
	d.compared(have, want, p)
	return &plan{p, func(ctx context.Context) error { return d.put(ctx, p) }}, nil
}

// Hold implements [applier.Dataplane]. The held state takes the parsed model over.
func (d *plane[S, M, P]) Hold(a backends.Artifact) (err error) {
	d.held, err = d.hold(a, d.read)
	if err == nil {
		d.knowGeneration()
	}
	d.of, d.last = backends.Artifact{}, *new(M)
	return err
}

// Change implements [applier.Dataplane].
func (d *plane[S, M, P]) Change(before, after backends.Artifact) (applier.Plan, error) {
	return d.next(d.held.Change(before, after))
}

// Replace implements [applier.Dataplane].
func (d *plane[S, M, P]) Replace(whole backends.Artifact) (applier.Plan, error) {
	return d.next(d.held.Replace(whole))
}

// next wraps a plan from held state.
func (d *plane[S, M, P]) next(p P, err error) (applier.Plan, error) {
	if isOne(err, xtlive.ErrStructure, nftlive.ErrStructure, ebpflive.ErrWhole) {
		return nil, applier.ErrWhole
	}
	if err != nil {
		return nil, err
	}
	return &plan{p, func(ctx context.Context) error {
		if err := d.apply(ctx, p); err != nil {
			return d.refused(err)
		}
		d.held.Commit(p)
		return nil
	}}, nil
}

// Snapshot implements [applier.Dataplane].
func (d *plane[S, M, P]) Snapshot(ctx context.Context) (restore func(context.Context) error, err error) {
	had, err := d.snapshot(ctx)
	if none := *new(M); err != nil || had == none {
		return nil, err
	}
	return func(ctx context.Context) error { return d.restore(ctx, had) }, nil
}

// restore removes all rules first if a change gave a set another type and added rules
// that use it: the kernel cannot change the type back while such rules exist.
func (d *plane[S, M, P]) restore(ctx context.Context, had M) error {
	put := func() error {
		p, err := d.to(ctx, had)
		if err != nil {
			return err
		}
		return p.Apply(ctx)
	}
	err := put()
	if !errors.Is(err, xtlive.ErrForeignSet) {
		return err
	}
	if _, cleaned := d.Clean(ctx); cleaned != nil {
		return errors.Join(err, cleaned) // rules of other programs refer to it
	}
	return put()
}

// Served implements [applier.Dataplane].
func (d *plane[S, M, P]) Served(ctx context.Context) (backends.Served, error) {
	have, err := d.observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	return have.Served(), nil
}

// Read implements [applier.Dataplane].
func (d *plane[S, M, P]) Read(a backends.Artifact) (backends.Served, error) {
	m, err := d.read(a)
	if p, ok := any(m).(partial); ok && err == nil {
		err = p.Complete()
	}
	if err != nil {
		return backends.Served{}, err
	}
	return m.Served(), nil
}

// plan wraps the plan of a live package.
type plan struct {
	steps
	apply func(context.Context) error
}

// Apply implements [applier.Plan].
func (p *plan) Apply(ctx context.Context) error { return p.apply(ctx) }
