package service

import (
	"cmp"
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// endpoint is one address of a slice with the port of one Service port.
type endpoint struct {
	address netip.AddrPort
	node    string
	// ready endpoints take connections; serving and terminating ones are the
	// fallback if none is ready (KEP-1669).
	ready, serving, terminating bool
	// remote says that it is in another cluster; spare ones take new connections only if no other is
	// ready.
	remote, spare bool
	// hints may be nil.
	hints *discoveryv1.EndpointHints
	// slice is shared by all endpoints of a slice; element is the endpoint's place in it.
	slice   *ir.Origin
	element int
}

func (e *endpoint) origin() ir.Origin { return e.slice.At(ir.EndpointPath(e.element)) }

// readEndpoint applies the defaults of missing conditions (discovery/v1
// EndpointConditions): ready and serving true, terminating false.
func readEndpoint(in *discoveryv1.Endpoint, addr netip.Addr) endpoint {
	e := endpoint{
		address:     netip.AddrPortFrom(addr, 0),
		ready:       in.Conditions.Ready == nil || *in.Conditions.Ready,
		serving:     in.Conditions.Serving == nil || *in.Conditions.Serving,
		terminating: in.Conditions.Terminating != nil && *in.Conditions.Terminating,
		hints:       in.Hints,
	}
	if in.NodeName != nil {
		e.node = *in.NodeName
	}
	return e
}

// takes reports whether the endpoint takes connections that need not stay on a node.
func (e *endpoint) takes() bool { return e.ready && !e.spare }

// fallback reports whether the endpoint may serve if no ready one exists.
func (e *endpoint) fallback() bool { return !e.ready && e.serving && e.terminating }

// settleEndpoints sorts a port's endpoints by address and keeps one entry for
// each address: preferably a non-terminating one, then a ready one. kube-proxy
// also prefers non-terminating entries, but takes the one that its map happens
// to yield last.
func settleEndpoints(p *port, f ir.Family, diags *diag.List) {
	list := *p.endpoints.of(f)
	if ascending(list) {
		return // usually
	}
	slices.SortFunc(list, func(a, b endpoint) int {
		if c := a.address.Compare(b.address); c != 0 {
			return c
		}
		return comparePreference(&a, &b)
	})
	kept := list[:0]
	for i := range list {
		n := len(kept)
		if n > 0 && kept[n-1].address == list[i].address {
			other := kept[n-1].origin()
			diags.Add(diag.DuplicateEndpoint, list[i].origin(), list[i].address.String()+" stands in "+other.Object()+" "+other.Path+" too")
			continue
		}
		kept = append(kept, list[i])
	}
	*p.endpoints.of(f) = kept
}

// ascending reports whether each endpoint has a higher address than the one before.
func ascending(list []endpoint) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1].address.Compare(list[i].address) >= 0 {
			return false
		}
	}
	return true
}

func comparePreference(a, b *endpoint) int {
	return cmp.Or(
		trueLast(a.terminating, b.terminating),
		-trueLast(a.ready, b.ready),
		-trueLast(a.serving, b.serving),
		cmp.Compare(a.slice.Name, b.slice.Name),
		cmp.Compare(ir.EndpointPath(a.element), ir.EndpointPath(b.element)),
	)
}

func trueLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
