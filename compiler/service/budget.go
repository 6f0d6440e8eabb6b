package service

import (
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// What one Service may cost where that is more than its bytes. Services of real
// clusters stay far below.
const (
	// maxFrontends bounds ports times addresses, and load-balancer addresses
	// count once more for each source range.
	maxFrontends = 1 << 17
	// maxEndpoints bounds the endpoints of all ports together.
	maxEndpoints = 1 << 18
)

// boundFrontends refuses a Service whose frontends would be too many.
func (s *service) boundFrontends(diags *diag.List) {
	addresses := len(s.clusterIPs) + len(s.families())
	for _, v := range s.vips {
		addresses++
		if v.kind == ir.LoadBalancer {
			addresses += len(s.sourceRanges)
		}
	}
	if n := addresses * len(s.ports); n > maxFrontends {
		diags.Add(diag.FrontendBudget, s.origin.At("spec.ports"), fmt.Sprintf("%d ports of %d addresses and source ranges are %d entries, %d at most", len(s.ports), addresses, n, maxFrontends))
		s.ports, s.byName, s.refused = nil, nil, true
	}
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
