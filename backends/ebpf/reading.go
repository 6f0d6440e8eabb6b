package ebpf

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Reading compares the Services that maps have with those of an image, without making an image
// of them. [Assemble] of the same makes an equal image, because an image follows from what its
// entries mean.
type Reading struct {
	img *Image
	// places are those of the entries of svc, and read is how many of them were read.
	places map[layout.ServiceKey]int32
	read   int
	sets   map[uint32][]netip.Prefix
}

// Reading returns a comparison that has read nothing yet. The image is valid.
func (img *Image) Reading() *Reading {
	svc := &img.maps[layout.Services]
	r := &Reading{img: img, places: make(map[layout.ServiceKey]int32, svc.Len()), sets: img.sourceLists()}
	for i := range svc.Len() {
		r.places[layout.DecodeServiceKey(svc.Key(i))] = int32(i)
	}
	return r
}

// Next reports whether a key means the same. The Service may have other positions; pools are
// endpoints of its routes as [layout.Endpoint.Append] writes them.
func (r *Reading) Next(key layout.ServiceKey, s layout.Service, pools [2][]byte, ranges []netip.Prefix) bool {
	svc, ep := &r.img.maps[layout.Services], &r.img.maps[layout.Endpoints]
	at, ok := r.places[key]
	if !ok {
		return false
	}
	r.read++
	want := layout.DecodeService(svc.Value(int(at)))
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

// Complete reports whether every entry was read. No key may be read twice.
func (r *Reading) Complete() bool { return r.read == len(r.places) }
