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
	// next is the entry after the one that was read last: most keys come in the image's order.
	next int
	// places are those of all entries, once they are needed, and read is how many were read.
	places map[layout.ServiceKey]int
	read   int
	sets   map[uint32][]netip.Prefix
}

// Reading returns a comparison that has read nothing yet. The image is valid.
func (img *Image) Reading() *Reading { return &Reading{img: img, sets: img.sourceLists()} }

// place finds the entry of a key.
func (r *Reading) place(key layout.ServiceKey) (at int, ok bool) {
	svc := &r.img.maps[layout.Services]
	if r.next < svc.Len() && layout.DecodeServiceKey(svc.Key(r.next)) == key {
		return r.next, true
	}
	if r.places == nil {
		r.places = make(map[layout.ServiceKey]int, svc.Len())
		for i := range svc.Len() {
			r.places[layout.DecodeServiceKey(svc.Key(i))] = i
		}
	}
	at, ok = r.places[key]
	return at, ok
}

// Next reports whether a key means the same. The Service may have other positions; pools are
// endpoints of its routes as [layout.Endpoint.Append] writes them.
func (r *Reading) Next(key layout.ServiceKey, s layout.Service, pools [2][]byte, ranges []netip.Prefix) bool {
	svc, ep := &r.img.maps[layout.Services], &r.img.maps[layout.Endpoints]
	at, ok := r.place(key)
	if !ok {
		return false
	}
	r.next = at + 1
	r.read++
	want := layout.DecodeService(svc.Value(at))
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
func (r *Reading) Complete() bool { return r.read == r.img.maps[layout.Services].Len() }
