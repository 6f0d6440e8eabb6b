package service

import (
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Model is what Services and EndpointSlices say, for no node in particular.
// It is immutable; Lower may be called for many nodes at once.
type Model struct {
	services []*service
	shared   shared
	// listed says of the addresses from outside whether an endpoint has them.
	listedOnce sync.Once
	listed     map[netip.Addr]bool
}

// service is one Service that has rules: checked, its addresses parsed, its
// endpoints joined.
type service struct {
	name   objects.Name
	object *corev1.Service
	origin ir.Origin

	clusterIPs []netip.Addr
	// vips are the addresses from outside that it owns on every port, in order
	// of their kind.
	vips []vip
	// sourceRanges are of both families, disjoint; openFamily is what an empty
	// list per family means.
	sourceRanges []netip.Prefix
	// closed is set when the ranges cannot be trusted, so that no client is served
	// on load-balancer addresses.
	closed bool

	affinity      uint32
	internalLocal bool
	externalLocal bool
	healthPort    uint16
	// wantsHealth is the healthPort before another Service was found to have it.
	wantsHealth uint16
	// allocated are the matches that the ports claim by ClusterIPs, and wants all
	// others, owned or not.
	allocated, wants []ir.Match
	ports            []port
	// refused Services are served nowhere, and their ClusterIPs refuse connections.
	refused bool
	// joined counts the endpoints that slices give the ports.
	joined int
	// byName finds ports by what slices call them.
	byName map[portName]int
}

// portName is what a Service port and those of its slices have in common.
type portName struct {
	name     string
	protocol ir.Protocol
}

// vip is an address from outside the cluster.
type vip struct {
	kind ir.FrontendKind
	addr netip.Addr
}

// port is one port of a service.
type port struct {
	id       ir.ServicePort
	number   uint16
	nodePort uint16
	origin   ir.Origin
	// endpoints are all the slices give for the port, by family, sorted by
	// address, each address once.
	endpoints perFamily[[]endpoint]
	// owned are the frontends that the port does not lose to another Service.
	owned []claim
}

// claim is a frontend's kind and match.
type claim struct {
	id    string
	kind  ir.FrontendKind
	match ir.Match
}

// perFamily holds one value for each address family.
type perFamily[T any] struct{ v4, v6 T }

func (p *perFamily[T]) of(f ir.Family) *T {
	if f == ir.IPv4 {
		return &p.v4
	}
	return &p.v6
}

// Analyze reads the Services and EndpointSlices of a cluster; external are the
// external IPs that are served.
func Analyze(set *objects.Set, external objects.ExternalIPs) (*Model, diag.List) {
	var diags diag.List
	services := readServices(set.Services, external, &diags)
	joinSlices(services, set.EndpointSlices, &diags)
	ordered := settleClaims(services, &diags)
	return &Model{services: ordered}, diags
}

// HasEndpoint reports whether a Service has an endpoint at an address that a Service
// lists as one from outside; others are not asked about.
func (m *Model) HasEndpoint(a netip.Addr) bool {
	m.listedOnce.Do(func() {
		m.listed = make(map[netip.Addr]bool)
		for _, s := range m.services {
			for _, v := range s.vips {
				m.listed[v.addr] = false
			}
		}
		if len(m.listed) == 0 {
			return
		}
		for _, s := range m.services {
			s.eachEndpoint(func(e *endpoint) {
				if _, is := m.listed[e.address.Addr()]; is {
					m.listed[e.address.Addr()] = true
				}
			})
		}
	})
	return m.listed[a]
}

// externallyAccessible reports whether the service can be reached on anything
// but its ClusterIPs.
func (s *service) externallyAccessible(p *port) bool {
	return p.nodePort != 0 || len(s.vips) > 0
}

// families returns those the service has a ClusterIP of; in others it has no
// rules at all.
func (s *service) families() []ir.Family {
	var out []ir.Family
	for _, f := range ir.Families() {
		if len(ir.AddrsOf(f, s.clusterIPs)) > 0 {
			out = append(out, f)
		}
	}
	return out
}
