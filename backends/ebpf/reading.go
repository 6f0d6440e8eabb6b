package ebpf

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Reading compares the Services that maps have with those of an image, key by key, without
// making an image of them. [Assemble] of the same makes an equal image, because an image
// follows from what its entries mean.
type Reading struct {
	img *Image
	// next is the entry of svc that is to come.
	next int
	sets map[uint32][]netip.Prefix
	key  [layout.ServiceKeySize]byte
}

// Reading returns a comparison that has read nothing yet. The image is valid.
func (img *Image) Reading() *Reading { return &Reading{img: img, sets: img.sourceLists()} }

// Next reports whether the next key in order means the same. The Service may have other
// positions; pools are endpoints of its routes as [layout.Endpoint.Append] writes them.
func (r *Reading) Next(key layout.ServiceKey, s layout.Service, pools [2][]byte, ranges []netip.Prefix) bool {
	svc, ep := &r.img.maps[layout.Services], &r.img.maps[layout.Endpoints]
	if r.next >= svc.Len() || !bytes.Equal(key.Append(r.key[:0]), svc.Key(r.next)) {
		return false
	}
	want := layout.DecodeService(svc.Value(r.next))
	r.next++
	for i, route := range [...]layout.Route{want.Internal, want.External} {
		from, size := int(route.Base)*ep.stride(), int(route.Count)*ep.stride()
		if !bytes.Equal(pools[i], ep.data[from:][:size]) {
			return false
		}
	}
	if !slices.Equal(ranges, r.sets[want.Sources]) {
		return false
	}
	s.Internal.Base, s.External.Base, s.Sources = want.Internal.Base, want.External.Base, want.Sources
	return s == want
}

// Complete reports whether every entry was read.
func (r *Reading) Complete() bool { return r.next == r.img.maps[layout.Services].Len() }
