package ebpf

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// Name selects this backend on the command line.
const Name = "ebpf"

// The files of the artifact: the image, and its readable form.
const (
	ImageFile = "maps.bin"
	TextFile  = "maps.txt"
)

// Backend emits map images.
type Backend struct {
	opts backends.Options
}

var _ backends.Backend = (*Backend)(nil)

// New returns the backend. Of the options, it uses NoComments, which omits the
// symbols, and Hash.
func New(opts backends.Options) *Backend { return &Backend{opts: opts} }

// Name returns "ebpf".
func (*Backend) Name() string { return Name }

// Emit returns maps.bin and maps.txt. It refuses or closes what Check reports.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	img, err := b.Image(p)
	if err != nil {
		return backends.Artifact{}, err
	}
	return backends.Artifact{Files: []backends.File{
		{Name: ImageFile, Data: img.Bytes()},
		{Name: TextFile, Data: img.Text()},
	}}, nil
}

// Image returns the image of a program that [ir.Verify] accepts.
func (b *Backend) Image(p *ir.Program) (*Image, error) {
	build, err := newBuilder(p, !b.opts.NoComments, b.opts.Hash)
	if err != nil {
		return nil, fmt.Errorf("ebpf: %w", err)
	}
	img, err := build.image()
	if err != nil {
		return nil, fmt.Errorf("ebpf: %w", err)
	}
	return img, nil
}
