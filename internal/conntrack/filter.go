package conntrack

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Filter says which flows to one frontend are stale.
type Filter struct {
	// Match is the frontend's.
	Match ir.Match
	// Scope are the addresses of a nodePort, for a Match without an address.
	Scope ir.NodePortScope
	// Keep are the endpoints that the frontend has; flows to anything else are
	// stale.
	Keep []netip.AddrPort
	// Gone are the endpoints that a frontend had which has none any more, or is
	// gone itself: only flows to these are stale. Used where Keep is empty.
	Gone []netip.AddrPort
}

// String writes the filter for people.
func (f Filter) String() string {
	if len(f.Keep) > 0 {
		return fmt.Sprintf("%v: flows to none of %d endpoints", f.Match, len(f.Keep))
	}
	return fmt.Sprintf("%v: flows to %d endpoints that are gone", f.Match, len(f.Gone))
}

// stale reports whether a flow to the frontend is.
func (f *Filter) stale(flow *Flow) bool {
	if len(f.Keep) > 0 {
		_, have := slices.BinarySearchFunc(f.Keep, flow.ReplySrc, netip.AddrPort.Compare)
		return !have
	}
	_, gone := slices.BinarySearchFunc(f.Gone, flow.ReplySrc, netip.AddrPort.Compare)
	return gone
}

// serves reports whether a nodePort is served where the flow went.
func (f *Filter) serves(flow *Flow) bool {
	dst := flow.Dst.Addr()
	if dst.IsLoopback() {
		return false
	}
	return slices.Contains(f.Scope.Addresses, dst) || flow.DstOwn && ir.ContainsAddr(f.Scope.Prefixes, dst)
}

// index finds the filter of a flow.
type index map[ir.Match]*Filter

func newIndex(filters []Filter) index {
	x := make(index, len(filters))
	for i := range filters {
		x[filters[i].Match] = &filters[i]
	}
	return x
}

// stale reports whether one of the filters matches. The order is that of the
// rules: an address before a nodePort.
func (x index) stale(flow *Flow) bool {
	match := ir.Match{Family: flow.Family(), Address: flow.Dst.Addr(), Protocol: flow.Protocol, Port: flow.Dst.Port()}
	if f := x[match]; f != nil {
		return f.stale(flow)
	}
	match.Address = netip.Addr{}
	f := x[match]
	return f != nil && f.serves(flow) && f.stale(flow)
}
