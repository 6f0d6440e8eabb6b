package conntrack

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Filters select stale flows.
type Filters struct {
	// Frontends has a filter for each frontend to check.
	Frontends []Filter
	// Unclaimed are ranges of ClusterIPs. A flow to an address and port in them
	// that has an endpoint but no filter belongs to a removed Service.
	Unclaimed []netip.Prefix
}

// Empty reports whether no flow can be stale.
func (f *Filters) Empty() bool { return len(f.Frontends)+len(f.Unclaimed) == 0 }

// Filter selects the stale flows to one frontend.
type Filter struct {
	// Match is the frontend's match.
	Match ir.Match
	// Scope has the addresses of a nodePort, for a Match without an address.
	Scope ir.NodePortScope
	// Keep are the allowed endpoints; flows to other endpoints are stale. If it is
	// empty, all flows are stale.
	Keep []netip.AddrPort
	// Gone, if not empty, are the endpoints of a removed frontend: only flows to
	// these are stale.
	Gone []netip.AddrPort
}

// String returns the filter for messages.
func (f Filter) String() string {
	switch {
	case len(f.Gone) > 0:
		return fmt.Sprintf("%v: flows to %d endpoints that are gone", f.Match, len(f.Gone))
	case len(f.Keep) > 0:
		return fmt.Sprintf("%v: flows to none of %d endpoints", f.Match, len(f.Keep))
	}
	return fmt.Sprintf("%v: all flows", f.Match)
}

// stale reports whether a flow to the frontend is stale.
func (f *Filter) stale(flow *Flow) bool {
	list := f.Keep
	if len(f.Gone) > 0 {
		list = f.Gone
	}
	_, found := slices.BinarySearchFunc(list, flow.ReplySrc, netip.AddrPort.Compare)
	return found == (len(f.Gone) > 0)
}

// serves reports whether the nodePort is served at the destination of the flow.
func (f *Filter) serves(flow *Flow) bool {
	dst := flow.Dst.Addr()
	if dst.IsLoopback() {
		return false
	}
	return slices.Contains(f.Scope.Addresses, dst) || flow.DstOwn && ir.ContainsAddr(f.Scope.Prefixes, dst)
}

// index finds the filter of a flow.
type index struct {
	frontends map[ir.Match]*Filter
	unclaimed []netip.Prefix
}

func newIndex(f Filters) index {
	x := index{frontends: make(map[ir.Match]*Filter, len(f.Frontends)), unclaimed: f.Unclaimed}
	for i := range f.Frontends {
		x.frontends[f.Frontends[i].Match] = &f.Frontends[i]
	}
	return x
}

// about reports whether a flow of the family and the protocol can be stale.
func (x index) about(f ir.Family, p ir.Protocol) bool {
	if len(ir.PrefixesOf(f, x.unclaimed)) > 0 {
		return true
	}
	for m := range x.frontends {
		if m.Family == f && m.Protocol == p {
			return true
		}
	}
	return false
}

// stale reports whether a filter selects the flow. The order is that of the rules:
// address frontends precede nodePorts.
func (x index) stale(flow *Flow) bool {
	match := ir.Match{Family: flow.Family(), Address: flow.Dst.Addr(), Protocol: flow.Protocol, Port: flow.Dst.Port()}
	if f := x.frontends[match]; f != nil {
		return f.stale(flow)
	}
	match.Address = netip.Addr{}
	if f := x.frontends[match]; f != nil && f.serves(flow) {
		return f.stale(flow)
	}
	translated := flow.ReplySrc != flow.Dst
	return translated && flow.Protocol != ir.TCP && ir.ContainsAddr(x.unclaimed, flow.Dst.Addr())
}

// StaleSocket returns a function that reports whether the flow of a connected UDP socket
// is stale, which was sent to an endpoint in the place of a Service's address. own are
// the node's addresses.
func (f Filters) StaleSocket(own []netip.Addr) func(service, endpoint netip.AddrPort) bool {
	x := newIndex(f)
	return func(service, endpoint netip.AddrPort) bool {
		return x.stale(&Flow{
			Protocol: ir.UDP, Dst: service, ReplySrc: endpoint, DstOwn: slices.Contains(own, service.Addr()),
		})
	}
}

// Stale returns a function that reports whether a flow is stale, for other tables.
func (f Filters) Stale() func(*Flow) bool { return newIndex(f).stale }
