package resolve

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Range is the class of all addresses from First to Last.
type Range struct {
	First, Last netip.Addr // both ends included, of one family
	Class       uint32     // the ID of the addresses' class, or 0
}

// Ranges converts the networks of one family, which are sorted and of which
// the longest match decides, to disjoint, sorted ranges, as few as possible
// and without class 0: for backends whose tables lack a longest-prefix match.
func Ranges(networks []Network, f ir.Family) []Range {
	s := sweep{}
	for _, n := range networks {
		if ir.FamilyOf(n.Prefix.Addr()) != f {
			continue
		}
		s.closeBefore(n.Prefix.Addr())
		s.advance(n.Prefix.Addr())
		s.open = append(s.open, n)
	}
	for len(s.open) > 0 {
		s.close()
	}
	return s.out
}

// sweep walks the address space; open are the networks around the current position.
type sweep struct {
	open []Network
	// next is the first address without a range so far.
	next netip.Addr
	out  []Range
}

// closeBefore ends the networks that end before a.
func (s *sweep) closeBefore(a netip.Addr) {
	for len(s.open) > 0 && !s.open[len(s.open)-1].Prefix.Contains(a) {
		s.close()
	}
}

// close ends the innermost network and adds its remaining addresses.
func (s *sweep) close() {
	n := s.open[len(s.open)-1]
	last := ir.LastAddr(n.Prefix)
	if !s.next.IsValid() || s.next.Compare(last) <= 0 {
		s.emit(last, n.Class)
	}
	s.open = s.open[:len(s.open)-1]
	s.next = last.Next()
	if !s.next.IsValid() {
		// This is the end of the address space: nothing may follow.
		s.next = last
		s.open = s.open[:0]
	}
}

// advance adds the addresses before a to the innermost network.
func (s *sweep) advance(a netip.Addr) {
	if len(s.open) > 0 && s.next.Compare(a) < 0 {
		s.emit(a.Prev(), s.open[len(s.open)-1].Class)
	}
	s.next = a
}

func (s *sweep) emit(last netip.Addr, class uint32) {
	if class == 0 {
		return
	}
	if n := len(s.out); n > 0 && s.out[n-1].Class == class && s.out[n-1].Last.Next() == s.next {
		s.out[n-1].Last = last
		return
	}
	s.out = append(s.out, Range{s.next, last, class})
}
