package service

import (
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Bounds for Services whose cost grows faster than their size. Services of real
// clusters stay far below them.
const (
	// maxFrontends bounds ports times addresses, so that the rules of one Service
	// load within a second: other Services wait for them.
	maxFrontends = 1 << 13
	// maxRanges bounds the source ranges of load-balancer addresses on each port. An
	// insertion into the kernel's set of concatenated ranges takes time for each
	// existing element (net/netfilter/nft_set_pipapo.c): 4,096 take a quarter of a
	// second, 16,384 three seconds.
	maxRanges = 1 << 12
	// maxEndpoints bounds the endpoints of all ports together.
	maxEndpoints = 1 << 15
)

// boundFrontends refuses a Service with too many frontends.
func (s *service) boundFrontends(diags *diag.List) {
	// A Service has one ClusterIP of each family, and node ports in each family of its ClusterIPs.
	addresses, balanced := 2*len(s.clusterIPs)+len(s.vips), 0
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

// boundEndpoints removes all endpoints from a Service with too many, so that it
// refuses connections instead of serving a part.
func (s *service) boundEndpoints(diags *diag.List) {
	if s.joined <= maxEndpoints {
		return
	}
	diags.Add(diag.EndpointBudget, s.origin.At("spec.ports"), fmt.Sprintf("%d endpoints of %d ports, %d at most", s.joined, len(s.ports), maxEndpoints))
	for i := range s.ports {
		s.ports[i].endpoints = perFamily[[]endpoint]{}
	}
}

// programmed reports whether programs contain the Service.
func (s *service) programmed() bool { return len(s.ports) > 0 || s.refused }
