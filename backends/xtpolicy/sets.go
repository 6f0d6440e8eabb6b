package xtpolicy

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// The types of sets. The type follows from the set's name, because ipset neither
// re-creates nor swaps a set of another type.
const (
	addresses = "hash:ip"
	networks  = "hash:net"
	pairs     = "hash:ip,port"
)

// MaxElements is the size limit of every set. It is the same in every backend, because
// ipset cannot re-create a set with another limit. ipset allocates memory on demand.
const MaxElements = "4194304"

// Set is one ipset. Its name has at most 26 bytes, which leaves room for the
// suffix of the temporary set that replaces it.
type Set struct {
	Name, Kind string // the ipset's name, and its type with its options
	elements   []element
}

// element is an address, a network, or an address and a port.
type element struct {
	prefix   netip.Prefix
	protocol ir.Protocol
	port     uint16
	// noMatch excludes a network from a larger one.
	noMatch bool
}

func (s *Set) add(e element) { s.elements = append(s.elements, e) }

func (s *Set) addAddr(a netip.Addr) { s.add(element{prefix: netip.PrefixFrom(a, a.BitLen())}) }

// AppendAdds appends one line per element, in the format of "ipset save", that
// adds the element to the set with the given name.
func (s *Set) AppendAdds(b []byte, name string) []byte {
	add := "add " + name + " "
	b = slices.Grow(b, len(s.elements)*(len(add)+len("255.255.255.255,tcp:65535")))
	for i := range s.elements {
		e := &s.elements[i]
		b = append(b, add...)
		if e.prefix.IsSingleIP() {
			b = e.prefix.Addr().AppendTo(b)
		} else {
			b = e.prefix.AppendTo(b)
		}
		if e.protocol != 0 {
			b = append(append(append(b, ','), e.protocol.String()...), ':')
			b = strconv.AppendUint(b, uint64(e.port), 10)
		}
		if e.noMatch {
			b = append(b, " nomatch"...)
		}
		b = append(b, '\n')
	}
	return b
}

// in returns a match on the set with the given dimensions (src, dst).
func (s *Set) in(dimensions string) string { return " -m set --match-set " + s.Name + " " + dimensions }
