package ebpf

import (
	"unsafe"

	"github.com/planec/planec/backends/ebpf/layout"
)

// sheet is memory for the file of an image, in which svc and ep are written where they will be in
// the file: they are nearly all of it, and would be copied otherwise.
type sheet []byte

// tail is the room in a sheet for what follows ep, at most. A larger rest needs other memory, and so
// does that of nearly every small image, whose copy costs nothing.
const tail = 64 << 10

// newSheet returns the memory of a file with so many entries and at most so many endpoints, and svc
// and ep in it, empty.
func newSheet(policies bool, entries, endpoints int) (s sheet, svc, ep []byte) {
	var f layout.Features
	if policies {
		f = layout.FeaturePolicies
	}
	from := servicesAt(layout.MapsFor(f))
	to := from + entries*(layout.ServiceKeySize+layout.ServiceSize)
	end := to + endpoints*layout.EndpointSize
	s = make(sheet, end, end+min(tail, end/32))
	return s, s[from:from:to], s[to:to:end]
}

// servicesAt is where svc begins in a file with so many maps.
func servicesAt(maps int) int { return headerSize + maps*recordSize + layout.MetaSize }

// holds reports whether a file of a size has room, and svc and ep are in their places.
func (s sheet) holds(maps []Map, size int) bool {
	svc, ep := maps[layout.Services].data, maps[layout.Endpoints].data
	at := servicesAt(len(maps))
	if s = s[:cap(s)]; len(s) < size {
		return false
	}
	return isStart(s[at:], svc) && isStart(s[at+len(svc):], ep)
}

// isStart reports whether data is where memory begins.
func isStart(memory, data []byte) bool {
	return len(data) > 0 && len(memory) >= len(data) && unsafe.SliceData(memory) == unsafe.SliceData(data)
}
