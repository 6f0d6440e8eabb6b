package ebpf

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Name selects this backend on the command line.
const Name = "ebpf"

// The files of the artifact: the image, its readable form, and the rules of nftables
// for what reaches the node as packets.
const (
	ImageFile   = "maps.bin"
	TextFile    = "maps.txt"
	PacketsFile = nftables.FileName
)

// Backend emits map images, and the rules of nftables beside them.
type Backend struct {
	opts backends.Options
}

var (
	_ backends.Backend    = (*Backend)(nil)
	_ backends.Fragmenter = (*Backend)(nil)
)

// New returns the backend. The image uses two of the options: NoComments, which omits
// the symbols, and Hash. The rules of nftables use them as package nftables does.
func New(opts backends.Options) *Backend { return &Backend{opts: opts} }

// Name returns "ebpf".
func (*Backend) Name() string { return Name }

// Emit returns maps.bin, maps.txt, and rules.nft, which has the bytes that the nftables
// backend emits, unless options say otherwise. It refuses or closes what Check reports: a Service that only one of
// the two can express is refused to sockets and packets alike.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	return b.emit(p, func(img *Image) []backends.File { return []backends.File{{Name: TextFile, Data: img.Text()}} })
}

// Fragment is Emit without maps.txt, see [backends.Fragmenter].
func (b *Backend) Fragment(p *ir.Program) (backends.Artifact, error) {
	return b.emit(p, func(*Image) []backends.File { return nil })
}

// emit returns maps.bin, the files beside it, and rules.nft.
func (b *Backend) emit(p *ir.Program, beside func(*Image) []backends.File) (backends.Artifact, error) {
	// What sockets and packets have in common is found once.
	var policies resolve.Memo
	var routes backends.Routes
	p = backends.GiveUp(p, nftables.Refused(p))
	img, err := b.image(p, &policies, &routes)
	if err != nil {
		return backends.Artifact{}, err
	}
	packets, err := nftables.Beside(b.opts).EmitResolved(p, &policies, &routes)
	if err != nil {
		return backends.Artifact{}, fmt.Errorf("ebpf: the rules for packets: %w", err)
	}
	file, sum := img.file(img.sheet)
	img.sheet = nil // it is the file's now
	files := append([]backends.File{backends.FileWithSum(ImageFile, file, sum)}, beside(img)...)
	return backends.Artifact{Files: append(files, packets.Files...), Made: img}, nil
}

// ImageOf returns the valid image of an artifact: the one that it was made of, or else what
// [Read] makes of its file.
func ImageOf(a backends.Artifact) (*Image, error) {
	img, ok := a.Made.(*Image)
	if !ok {
		return Read(a.File(ImageFile))
	}
	if err := img.verify(); err != nil {
		return nil, fmt.Errorf("the map image: %w", err)
	}
	return img, nil
}

// Recorded returns what of an artifact is needed to apply it: all but maps.txt.
func Recorded(a backends.Artifact) backends.Artifact {
	a.Files = slices.DeleteFunc(slices.Clone(a.Files), func(f backends.File) bool { return f.Name == TextFile })
	return a
}

// Image returns the image of a program that [ir.Verify] accepts.
func (b *Backend) Image(p *ir.Program) (*Image, error) {
	return b.image(p, &resolve.Memo{}, &backends.Routes{})
}

func (b *Backend) image(p *ir.Program, policies *resolve.Memo, routes *backends.Routes) (*Image, error) {
	build, err := newBuilder(p, !b.opts.NoComments, b.opts.Hash, policies, routes)
	if err != nil {
		return nil, fmt.Errorf("ebpf: %w", err)
	}
	if b.opts.AtInterfaces() {
		build.info.Flags |= layout.FlagAtInterfaces
	}
	if b.opts.DirectPods {
		build.info.Flags |= layout.FlagDirect
	}
	img, err := build.image()
	if err != nil {
		return nil, fmt.Errorf("ebpf: %w", err)
	}
	return img, nil
}
