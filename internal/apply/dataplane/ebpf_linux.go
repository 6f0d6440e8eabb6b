package dataplane

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
)

// ebpfPlane puts map images below a directory of a BPF file system.
type ebpfPlane struct {
	pins *live.Pins

	mu sync.Mutex
	// file is the image that was read last, which planning and verifying both
	// want.
	file  []byte
	image *ebpf.Image
	// held is the image that is active, once Hold was called.
	held *ebpf.Image
}

// EBPF is the dataplane that pins its maps in a directory of a BPF file system.
func EBPF(dir string) applier.Dataplane { return &ebpfPlane{pins: live.NewPins(dir)} }

// read parses maps.bin, once while it stays the same.
func (d *ebpfPlane) read(a backends.Artifact) (*ebpf.Image, error) {
	file := a.File(ebpf.ImageFile)
	if file == nil {
		return nil, fmt.Errorf("the artifact has no %s", ebpf.ImageFile)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.image != nil && bytes.Equal(d.file, file) {
		return d.image, nil
	}
	img, err := ebpf.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ebpf.ImageFile, err)
	}
	d.file, d.image = file, img
	return img, nil
}

// Plan implements [applier.Dataplane].
func (d *ebpfPlane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	want, err := d.read(a)
	if err != nil {
		return nil, err
	}
	have, err := d.pins.Observe(ctx)
	if err != nil {
		return nil, err
	}
	return live.NewPlan(have, want), nil
}

// Apply implements [applier.Dataplane].
func (d *ebpfPlane) Apply(ctx context.Context, p applier.Plan) error {
	own, ok := p.(*live.Plan)
	if !ok {
		return fmt.Errorf("a plan of another backend: %T", p)
	}
	return d.pins.Apply(ctx, own)
}

// Clean implements [applier.Dataplane].
func (d *ebpfPlane) Clean(ctx context.Context) ([]string, error) { return d.pins.Clean(ctx) }

// Left implements [applier.Remover].
func (d *ebpfPlane) Left(context.Context) ([]string, error) { return d.pins.Left() }

// Missing implements [applier.Partial].
func (*ebpfPlane) Missing() string { return "the programs that use the maps" }

// Hold implements [applier.Changer].
func (d *ebpfPlane) Hold(a backends.Artifact) (err error) {
	d.held, err = d.read(a)
	return err
}

// Change implements [applier.Changer]. A change is a new generation of all maps,
// unless it is none.
func (d *ebpfPlane) Change(_ context.Context, before, after backends.Artifact) (applier.Plan, error) {
	if bytes.Equal(before.File(ebpf.ImageFile), after.File(ebpf.ImageFile)) {
		return live.NewPlan(&live.State{Image: d.held}, d.held), nil
	}
	return nil, applier.ErrWhole
}

// Replace implements [applier.Changer].
func (d *ebpfPlane) Replace(ctx context.Context, whole backends.Artifact) (applier.Plan, error) {
	want, err := d.read(whole)
	if err != nil {
		return nil, err
	}
	p := live.NewPlan(&live.State{Image: d.held}, want)
	if err := d.pins.Apply(ctx, p); err != nil {
		return p, err
	}
	d.held = want
	return p, nil
}
