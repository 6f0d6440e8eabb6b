package service

import (
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// memory is where an analysis keeps what it reads. Most Services have one port, one address and
// a few endpoints, so an array for each list of each would be most of the work.
type memory struct {
	services  slab[service]
	addrs     slab[netip.Addr]
	ports     slab[port]
	endpoints slab[endpoint]
	claims    slab[claim]
	matches   slab[ir.Match]
	uses      slab[AddressUse]
	// origins are part of programs, which share them.
	origins slab[ir.Origin]
}

// reset takes back all but the origins, for the next Service.
func (m *memory) reset() {
	m.services.reset()
	m.addrs.reset()
	m.ports.reset()
	m.endpoints.reset()
	m.claims.reset()
	m.matches.reset()
	m.uses.reset()
}

// slab hands out lists that lie in one array.
type slab[T any] struct {
	// array is the newest one; its length is what is in use.
	array []T
}

// most is how many bytes an array has that is made in advance: what the largest class of Go's
// allocator holds beside its header, so that nothing is left over.
const most = 32<<10 - 8

// take returns an empty list with room for n values. The first array is as long as the first
// list, so that one Service alone wastes nothing.
func (s *slab[T]) take(n int) []T {
	at := len(s.array)
	if at+n > cap(s.array) {
		s.array, at = make([]T, 0, max(n, min(2*cap(s.array), most/int(reflect.TypeFor[T]().Size())))), 0
	}
	s.array = s.array[:at+n]
	return s.array[at : at : at+n]
}

// one returns a zero value.
func (s *slab[T]) one() *T {
	var zero T
	return &append(s.take(1), zero)[0]
}

// reset takes back all lists, which must not be used any more. Lists begin empty, so what was in
// them may stay.
func (s *slab[T]) reset() { s.array = s.array[:0] }

// texts makes strings that lie in few long ones.
type texts struct{ room strings.Builder }

// of returns the bytes as a string. The first room is as long as the first string, as that of a
// slab.
func (t *texts) of(b []byte) string {
	const most = 1 << 13
	if have := t.room.Cap(); have-t.room.Len() < len(b) {
		t.room = strings.Builder{}
		t.room.Grow(max(len(b), min(2*have, most)))
	}
	from := t.room.Len()
	t.room.Write(b)
	return t.room.String()[from:]
}

// paths are the paths of a list's elements, such as "spec.ports[0]". Nearly all objects have
// the same ones.
type paths struct {
	list string
	have []string
}

func (p *paths) of(i int) string {
	for len(p.have) <= i {
		p.have = append(p.have, p.list+"["+strconv.Itoa(len(p.have))+"]")
	}
	return p.have[i]
}
