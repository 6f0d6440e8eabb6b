package service

import (
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Part is the contribution of one Service to the program of one node.
type Part struct {
	Frontends    []ir.Frontend    // the Service's addresses and ports on the node
	Pools        []ir.Pool        // the pools of the frontends' routes
	ClusterIPs   []netip.Addr     // the Service's own; packets to other ports of them are rejected
	HealthChecks []ir.HealthCheck // at most one for each family
}

// Interest is what one Service may share with others. It finds the Services
// that a change may affect.
type Interest struct {
	// Imported says that it is a ServiceImport, which has no address that a Service has.
	Imported bool
	// Allocated are the matches that it claims by its ClusterIPs, and Wanted all
	// others, whether it owns them or not. Of two claimers the older one owns a
	// match, and neither if it belongs to another Service's ClusterIP. HealthPort
	// is the node port on which it wants to answer health checks.
	Allocated, Wanted []ir.Match
	HealthPort        uint16      // 0 if it has none
	Created           metav1.Time // decides which of two Services is older
	// ClusterIPs are the addresses that no other Service may serve; those of a ServiceImport
	// are in Listed too, since Services go before it.
	ClusterIPs []netip.Addr
	// Listed are its load-balancer addresses and external IPs. It does not get
	// those that are another Service's ClusterIP.
	Listed []netip.Addr
	// Endpoints are the addresses of its endpoints, sorted, without duplicates.
	Endpoints []AddressUse
}

// AddressUse is an address of endpoints.
type AddressUse struct {
	Address netip.Addr // one of the Service's endpoint addresses
	Here    bool       // whether one of its endpoints is on the node
}

// Parts yields the part of each Service in the node's program, for callers that
// compile Services separately. isPod reports which addresses are pods of this
// node, which also depends on endpoints of other Services.
func (m *Model) Parts(n *Node, isPod func(netip.Addr) bool, yield func(of objects.Name, part *Part)) {
	here := &localNode{Node: n, isPod: isPod}
	for _, s := range m.services {
		part := &Part{}
		if s.programmed() {
			var p ir.Program
			here.lower(s, &p)
			part.Frontends, part.Pools, part.HealthChecks = p.Frontends, p.Pools, p.HealthChecks
			part.ClusterIPs = s.clusterIPs
		}
		yield(s.name, part)
	}
}

// Interests yields what each Service may share with others.
func (m *Model) Interests(node string, yield func(of objects.Name, interest Interest)) {
	var memory memory
	for _, s := range m.services {
		yield(s.name, s.interest(node, &memory))
	}
}

// Interest returns what the Service may share with others, on a node, and whether it has rules
// at all. It is valid as long as the Service.
func (s *Single) Interest(node string) (i Interest, there bool) {
	if s.service == nil {
		return Interest{}, false
	}
	return s.service.interest(node, s.memory), true
}

func (s *service) interest(node string, m *memory) Interest {
	return Interest{
		Imported: s.imported, Allocated: s.allocated, Wanted: s.wants, HealthPort: s.wantsHealth, Created: s.object.CreationTimestamp,
		ClusterIPs: s.interesting(), Listed: s.listed(), Endpoints: s.addressUses(node, m),
	}
}

// interesting are the addresses that it owns, or would own if no other Service did.
func (s *service) interesting() []netip.Addr {
	if s.imported {
		return s.importIPs
	}
	return s.clusterIPs
}

func (s *service) listed() []netip.Addr {
	list := slices.Clone(s.importIPs)
	for _, v := range s.vips {
		list = append(list, v.addr)
	}
	return list
}

func (s *service) addressUses(node string, m *memory) []AddressUse {
	n := 0
	s.eachEndpoint(func(*endpoint) { n++ })
	list := m.uses.take(n)
	s.eachEndpoint(func(e *endpoint) {
		list = append(list, AddressUse{e.address.Addr(), e.node != "" && e.node == node})
	})
	compare := func(a, b AddressUse) int { return a.Address.Compare(b.Address) }
	if !slices.IsSortedFunc(list, compare) { // they are, if there is one port
		slices.SortFunc(list, compare)
	}
	kept := list[:0]
	for _, p := range list {
		if n := len(kept); n > 0 && kept[n-1].Address == p.Address {
			kept[n-1].Here = kept[n-1].Here || p.Here
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
