package ebpf

import (
	"crypto/sha256"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Image is the content of all maps of one generation. It is immutable. An image
// returned by [Read] or [NewImage] is valid: all references of its entries lead to
// existing entries.
type Image struct {
	maps    [layout.NumMaps]Map
	symbols *Symbols
	// sheet is the memory in which svc and ep lie as in the file, if they do.
	sheet sheet
}

// NewImage makes an image of the entries of its maps, in any order, in the form of
// [Map.Entries], for example as read from a kernel. It verifies them like Read,
// including the digest in meta, and keeps the slices.
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

// inFile returns the maps that the file of the image contains. The other maps are
// empty and not part of any digest.
func (img *Image) inFile() []Map { return img.maps[:layout.MapsFor(img.Info().Features)] }

// Info returns the value of meta.
func (img *Image) Info() layout.Info { return layout.DecodeInfo(img.maps[layout.Meta].data) }

// Digest is the image's identity. It covers every entry of every map, but not the
// symbols.
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

// computeDigest returns the SHA-256 of the start of the header and the table of
// maps; the digest of meta in that table is computed with a zero Digest.
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
