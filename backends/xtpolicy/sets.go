package xtpolicy

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// The types of sets. A set's type follows from its name, since ipset neither
// makes a set again nor swaps it where the type is another.
const (
	addresses = "hash:ip"
	networks  = "hash:net"
	pairs     = "hash:ip,port"
)

// MaxElements is the sets' limit, the same in every backend: a set that is there
// with another one could not be made again. It takes no memory.
const MaxElements = "4194304"

// Set is one ipset. Its name is at most 26 bytes, which leaves room for the name
// of the set that takes its place.
type Set struct {
	Name, Kind string // the ipset's name, and its type with its options
	elements   []element
}

// element is an address, a network, or an address and a port.
type element struct {
	prefix   netip.Prefix
	protocol ir.Protocol
	port     uint16
	// noMatch takes a network out of a larger one.
	noMatch bool
}

// Len is how many elements the set has.
func (s *Set) Len() int { return len(s.elements) }

func (s *Set) add(e element) { s.elements = append(s.elements, e) }

func (s *Set) addAddr(a netip.Addr) { s.add(element{prefix: netip.PrefixFrom(a, a.BitLen())}) }

// AppendAdds appends a line for each element, as "ipset save" writes it, that
// adds it to the set of the name given.
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

// in matches a set, by the dimensions given.
func (s *Set) in(dimensions string) string { return " -m set --match-set " + s.Name + " " + dimensions }
