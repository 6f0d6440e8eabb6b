package service

import (
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// What one Service may cost where that is more than its bytes. Services of real
// clusters stay far below.
const (
	// maxFrontends bounds ports times addresses, so that one Service's rules are in
	// the kernel within a second: others wait for them.
	maxFrontends = 1 << 13
	// maxRanges bounds the source ranges of load-balancer addresses on each port. The
	// kernel keeps ranges of several fields in a set that takes time for each one
	// that it has already (net/netfilter/nft_set_pipapo.c): 4,096 a quarter of a
	// second, 16,384 three.
	maxRanges = 1 << 12
	// maxEndpoints bounds the endpoints of all ports together.
	maxEndpoints = 1 << 15
)

// boundFrontends refuses a Service whose frontends would be too many.
func (s *service) boundFrontends(diags *diag.List) {
	addresses, balanced := len(s.clusterIPs)+len(s.families())+len(s.vips), 0
	for _, v := range s.vips {
		if v.kind == ir.LoadBalancer {
			balanced++
		}
	}
	ports := len(s.ports)
	frontends, ranges := addresses*ports, balanced*ports*len(s.sourceRanges)
	var why string
	switch {
	case frontends > maxFrontends:
		why = fmt.Sprintf("%d ports of %d addresses are %d frontends, %d at most", ports, addresses, frontends, maxFrontends)
	case ranges > maxRanges:
		why = fmt.Sprintf("%d ports of %d load-balancer addresses with %d source ranges are %d entries, %d at most", ports, balanced, len(s.sourceRanges), ranges, maxRanges)
	default:
		return
	}
	diags.Add(diag.FrontendBudget, s.origin.At("spec.ports"), why)
	s.ports, s.byName, s.refused = nil, nil, true
}

// boundEndpoints takes the endpoints from a Service that has too many, so that it
// refuses connections instead of serving some.
func (s *service) boundEndpoints(diags *diag.List) {
	if s.joined <= maxEndpoints {
		return
	}
	diags.Add(diag.EndpointBudget, s.origin.At("spec.ports"), fmt.Sprintf("%d endpoints of %d ports, %d at most", s.joined, len(s.ports), maxEndpoints))
	for i := range s.ports {
		s.ports[i].endpoints = perFamily[[]endpoint]{}
	}
}

// programmed reports whether the Service is part of programs.
func (s *service) programmed() bool { return len(s.ports) > 0 || s.refused }
