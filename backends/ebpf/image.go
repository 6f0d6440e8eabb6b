package ebpf

import (
	"crypto/sha256"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Image is the content of all maps of one generation. It does not change, and
// one that [Read] or [NewImage] returned is valid throughout: whatever an entry
// points to is there.
type Image struct {
	maps    [layout.NumMaps]Map
	symbols *Symbols
}

// NewImage makes an image of the entries of its maps, in any order, as
// [Map.Entries] has them: what a kernel's maps gave back, for one. It verifies
// them as Read does, the digest in meta too, and keeps the slices.
func NewImage(entries [layout.NumMaps][]byte) (*Image, error) {
	img := &Image{}
	for i, l := range layout.Maps() {
		m := Map{layout: l, data: entries[i]}
		if len(m.data)%m.stride() != 0 {
			return nil, fmt.Errorf("map %s: %d bytes are no whole number of entries of %d", l.Name, len(m.data), m.stride())
		}
		m.sort()
		m.sum()
		img.maps[i] = m
	}
	if err := img.verify(); err != nil {
		return nil, err
	}
	return img, nil
}

// Map returns a map of the image, by its index in layout.Maps.
func (img *Image) Map(index int) *Map { return &img.maps[index] }

// inFile returns the maps that a file of the image has. The others are empty,
// and digests do not cover them.
func (img *Image) inFile() []Map { return img.maps[:layout.MapsFor(img.Info().Features)] }

// Info returns the value of meta.
func (img *Image) Info() layout.Info { return layout.DecodeInfo(img.maps[layout.Meta].data) }

// Digest is the image's identity: it covers every entry of every map, and not
// the symbols.
func (img *Image) Digest() Digest { return img.Info().Digest }

// Symbols returns the names and origins of the entries, or nil.
func (img *Image) Symbols() *Symbols { return img.symbols }

// seal computes the digests and writes the image's own into meta.
func (img *Image) seal() {
	for i := range img.maps {
		img.maps[i].sum()
	}
	meta := &img.maps[layout.Meta]
	digest := img.computeDigest()
	copy(meta.data, digest[:])
	meta.sum()
}

// computeDigest is the SHA-256 of the start of the header and the table of maps,
// in which meta is digested as if it had no digest yet.
func (img *Image) computeDigest() Digest {
	info := img.Info()
	info.Digest = Digest{}
	meta := img.maps[layout.Meta]
	meta.data = info.Append(nil)
	meta.sum()
	b := appendIdentity(nil, info.Features)
	b = meta.appendRecord(b)
	for i, m := range img.inFile() {
		if i != layout.Meta {
			b = m.appendRecord(b)
		}
	}
	return sha256.Sum256(b)
}
