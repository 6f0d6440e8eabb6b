package live

import (
	"context"
	"errors"
	"fmt"
	"strings"

	image "github.com/planec/planec/backends/ebpf"
)

// Verify reports how the kernel's image differs from the one that should serve.
func (d *Dataplane) Verify(want *image.Image) error {
	got, err := d.Read()
	if err != nil {
		return err
	}
	return sameDigest(want, got)
}

func sameDigest(want, got *image.Image) error {
	if want.Digest() != got.Digest() {
		return fmt.Errorf("%w: the kernel has image %x instead of %x", image.ErrDigest, got.Digest(), want.Digest())
	}
	return nil
}

// errDiffers says that the kernel has not the image that it should.
var errDiffers = errors.New("the maps in the kernel are not those of the image")

// Verify reports what keeps the kernel's maps from being those of the image.
func (p *Pins) Verify(ctx context.Context, want *image.Image) error {
	have, err := p.Observe(ctx)
	if err != nil {
		return err
	}
	return NewPlan(have, want).difference()
}

func (p *Plan) difference() error {
	if p.Empty() {
		return nil
	}
	return fmt.Errorf("%w: %s", errDiffers, strings.Join(p.steps, "; "))
}
