package service

import (
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Model holds Services and EndpointSlices, independent of a node. It is
// immutable; Lower may be called concurrently.
type Model struct {
	// services are in the order of age.
	services []*service
	shared   shared
	// listed tells for listed outside addresses whether an endpoint has them.
	listedOnce sync.Once
	listed     map[netip.Addr]bool
}

// service is one Service with rules: validated, its addresses parsed, its
// endpoints joined.
type service struct {
	name   objects.Name
	object *corev1.Service
	origin ir.Origin

	clusterIPs []netip.Addr
	// vips are the outside addresses that it owns on every port, in the order of
	// their kinds.
	vips []vip
	// sourceRanges has both families, disjoint; openFamily tells what an empty
	// list of a family means.
	sourceRanges []netip.Prefix
	// closed marks unusable ranges, so that load-balancer addresses serve no
	// client.
	closed bool

	affinity uint32
	// clusters is the affinity to clusters: one of the words of objects, or "" for none.
	clusters      string
	internalLocal bool
	externalLocal bool
	healthPort    uint16
	// wantsHealth is the healthPort that it wanted, even if another Service has it.
	wantsHealth uint16
	// allocated are the matches that the ports claim by ClusterIPs, and wants all
	// others, owned or not.
	allocated, wants []ir.Match
	ports            []port
	// refused Services are not served, and their ClusterIPs refuse connections.
	refused bool
	// imported marks a ServiceImport, whose object has what a Service of it would have, and its
	// real name. Its clusterIPs become those of importIPs that it owns.
	imported  bool
	importIPs []netip.Addr
	// reserved Services have no rules, but keep imports from their ClusterIPs.
	reserved bool
	// joined counts the endpoints that slices add to the ports.
	joined int
	// byName maps names to ports, if there are many.
	byName map[string]int
}

// vip is an address for clients outside the cluster.
type vip struct {
	kind ir.FrontendKind
	addr netip.Addr
}

// port is one port of a service.
type port struct {
	id       ir.ServicePort
	number   uint16
	nodePort uint16
	origin   *ir.Origin // shared with programs
	// endpoints are all endpoints of the port, by family, sorted by address,
	// without duplicate addresses.
	endpoints perFamily[[]endpoint]
	// owned are the port's frontends that no other Service owns.
	owned []claim
}

// claim is a frontend's kind and match.
type claim struct {
	kind  ir.FrontendKind
	match ir.Match
}

// perFamily holds one value per address family.
type perFamily[T any] struct{ v4, v6 T }

func (p *perFamily[T]) of(f ir.Family) *T {
	if f == ir.IPv4 {
		return &p.v4
	}
	return &p.v6
}

// Settings are those that decide about Services on all nodes.
type Settings struct {
	ExternalIPs objects.ExternalIPs // the external IPs that are served
	// Cluster is the name of the cluster among several, or "".
	Cluster string
	// ImportCIDRs are the networks whose addresses are served for ServiceImports.
	ImportCIDRs []netip.Prefix
}

// SettingsOf returns those of a configuration.
func SettingsOf(c *objects.Config) Settings {
	return Settings{ExternalIPs: c.ExternalIPs, Cluster: c.ClusterName, ImportCIDRs: c.ImportCIDRs}
}

// HasEndpoint reports whether a Service has an endpoint at an address that a Service
// lists as an outside address. It knows no other addresses.
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

// externallyAccessible reports whether the service has addresses other than
// its ClusterIPs.
func (s *service) externallyAccessible(p *port) bool {
	return p.nodePort != 0 || len(s.vips) > 0
}

// serves reports whether one of the service's ClusterIPs has the family; it has no rules in
// others.
func (s *service) serves(f ir.Family) bool {
	for _, a := range s.clusterIPs {
		if ir.FamilyOf(a) == f {
			return true
		}
	}
	return false
}
