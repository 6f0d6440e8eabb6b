package dataplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
)

// ebpfPlane detects changes of its maps without reading them. Nothing uses the maps yet.
type ebpfPlane struct {
	*plane[*live.State, *ebpf.Image, *live.Plan]
	pins *live.Pins
}

// Missing implements [applier.Partial].
func (ebpfPlane) Missing() string { return "the programs that use the maps" }

// Fingerprint implements [applier.Fingerprinter].
func (d ebpfPlane) Fingerprint(ctx context.Context) (string, error) { return d.pins.Fingerprint(ctx) }

// ebpfKernel manages map images below a directory of a BPF file system.
type ebpfKernel struct{ pins *live.Pins }

func (ebpfKernel) parse(a backends.Artifact) (*ebpf.Image, error) {
	file := a.File(ebpf.ImageFile)
	if file == nil {
		return nil, fmt.Errorf("the artifact has no %s", ebpf.ImageFile)
	}
	img, err := ebpf.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ebpf.ImageFile, err)
	}
	return img, nil
}

func (k ebpfKernel) observe(ctx context.Context) (*live.State, error) { return k.pins.Observe(ctx) }

func (ebpfKernel) diff(have *live.State, want *ebpf.Image) *live.Plan {
	return live.NewPlan(have, want)
}

func (k ebpfKernel) apply(ctx context.Context, p *live.Plan) error { return k.pins.Apply(ctx, p) }

func (ebpfKernel) hold(a backends.Artifact, read func(backends.Artifact) (*ebpf.Image, error)) (held[*live.Plan], error) {
	img, err := read(a)
	if err != nil {
		return nil, err
	}
	return &heldImage{read: read, image: img}, nil
}

func (ebpfKernel) refused(err error) error { return err }

func (k ebpfKernel) snapshot(ctx context.Context) (*ebpf.Image, error) {
	have, err := k.pins.Observe(ctx)
	if errors.Is(err, live.ErrNoBPFFS) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return have.Image, nil
}

// Clean implements [applier.Dataplane].
func (k ebpfKernel) Clean(ctx context.Context) ([]string, error) { return k.pins.Clean(ctx) }

// Left implements [applier.Dataplane].
func (k ebpfKernel) Left(context.Context) ([]string, error) { return k.pins.Left() }

// heldImage is the active image; next is the image of the last plan.
type heldImage struct {
	read        func(backends.Artifact) (*ebpf.Image, error)
	image, next *ebpf.Image
}

// Change makes a new generation of all maps, unless nothing changes.
func (h *heldImage) Change(before, after backends.Artifact) (*live.Plan, error) {
	if !bytes.Equal(before.File(ebpf.ImageFile), after.File(ebpf.ImageFile)) {
		return nil, applier.ErrWhole
	}
	h.next = h.image
	return live.NewPlan(&live.State{Image: h.image}, h.image), nil
}

func (h *heldImage) Replace(whole backends.Artifact) (_ *live.Plan, err error) {
	if h.next, err = h.read(whole); err != nil {
		return nil, err
	}
	return live.NewPlan(&live.State{Image: h.image}, h.next), nil
}

func (h *heldImage) Commit(*live.Plan) { h.image = h.next }
