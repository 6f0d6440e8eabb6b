package service

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Part is what one Service gives the program of one node.
type Part struct {
	Frontends    []ir.Frontend
	Pools        []ir.Pool
	ClusterIPs   []netip.Addr
	HealthChecks []ir.HealthCheck
}

// Interest is what one Service can have in common with others: by it one finds
// those that a change of it may concern.
type Interest struct {
	// Matches are all that it claims, whether it gets them or not, and
	// HealthPort the node port it wants to answer health checks on.
	Matches    []ir.Match
	HealthPort uint16
	ClusterIPs []netip.Addr
	// Addresses are those of its endpoints, each once; true where an endpoint
	// is on the node.
	Addresses map[netip.Addr]bool
}

// Parts yields what each Service gives the node's program, for callers that
// compile Services apart from each other. isPod says which addresses are pods of
// this node, which other Services' endpoints have a say in.
func (m *Model) Parts(n *Node, isPod func(netip.Addr) bool, yield func(namespace, name string, part *Part)) {
	here := &place{Node: n, isPod: isPod}
	for _, s := range m.services {
		part := &Part{}
		if len(s.ports) > 0 {
			var p ir.Program
			here.lower(s, &p)
			part.Frontends, part.Pools, part.HealthChecks = p.Frontends, p.Pools, p.HealthChecks
			part.ClusterIPs = s.clusterIPs
		}
		yield(s.name.namespace, s.name.name, part)
	}
}

// Interests yields what each Service can have in common with others.
func (m *Model) Interests(node string, yield func(namespace, name string, interest *Interest)) {
	for _, s := range m.services {
		i := &Interest{Matches: s.wants, HealthPort: s.wantsHealth, ClusterIPs: s.clusterIPs, Addresses: make(map[netip.Addr]bool)}
		for j := range s.ports {
			for _, f := range ir.Families() {
				for _, e := range *s.ports[j].endpoints.of(f) {
					a := e.address.Addr()
					i.Addresses[a] = i.Addresses[a] || e.node != "" && e.node == node
				}
			}
		}
		yield(s.name.namespace, s.name.name, i)
	}
}
