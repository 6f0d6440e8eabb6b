package service

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/planec/planec/ir"
)

// shared is the common part of programs of several nodes: most Services are the
// same on every node without their endpoints. It is made on first use, and never
// changes then.
type shared struct {
	once sync.Once
	// clusterIPs are the ClusterIPs of all Services, sorted, without duplicates.
	clusterIPs []netip.Addr
	// pods are the addresses of each node's endpoints; at maps an address to the
	// Services (by index in the model) with an endpoint there.
	pods map[string][]netip.Addr
	at   map[netip.Addr][]int32

	mu sync.Mutex
	// parts are the Services' parts on nodes without their endpoints. A nil part
	// differs from node to node.
	parts map[kindOfNode][]*Part
}

// kindOfNode holds the facts of a node on which a Service's part depends, if
// the Service has no endpoint there, no hints and no source ranges.
type kindOfNode struct {
	detects4, detects6, masqueradeAll bool
}

func (m *Model) index() {
	s := &m.shared
	s.pods, s.at = make(map[string][]netip.Addr), make(map[netip.Addr][]int32)
	for i, service := range m.services {
		if !service.programmed() {
			continue
		}
		s.clusterIPs = append(s.clusterIPs, service.clusterIPs...)
		service.eachEndpoint(func(e *endpoint) {
			a := e.address.Addr()
			if e.node != "" {
				s.pods[e.node] = append(s.pods[e.node], a)
			}
			if list := s.at[a]; len(list) == 0 || list[len(list)-1] != int32(i) {
				s.at[a] = append(list, int32(i))
			}
		})
	}
	slices.SortFunc(s.clusterIPs, netip.Addr.Compare)
	s.clusterIPs = slices.Compact(s.clusterIPs)
	s.parts = make(map[kindOfNode][]*Part)
}

func (s *service) eachEndpoint(yield func(*endpoint)) {
	for i := range s.ports {
		for _, f := range ir.Families() {
			list := *s.ports[i].endpoints.of(f)
			for j := range list {
				yield(&list[j])
			}
		}
	}
}

// partsFor returns the parts that nodes of one kind share.
func (m *Model) partsFor(n *Node) []*Part {
	k := kindOfNode{n.Local.Detects(ir.IPv4), n.Local.Detects(ir.IPv6), n.MasqueradeAll}
	s := &m.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.parts[k]; have != nil {
		return have
	}
	// No endpoint is on a node without a name.
	nowhere := &localNode{Node: &Node{Local: n.Local, MasqueradeAll: n.MasqueradeAll}, isPod: func(netip.Addr) bool { return false }}
	parts := make([]*Part, len(m.services))
	for i, service := range m.services {
		if len(service.ports) == 0 || service.differs() {
			continue
		}
		var p ir.Program
		nowhere.lower(service, &p)
		for j := range p.Pools {
			slices.SortFunc(p.Pools[j].Endpoints, func(a, b ir.Endpoint) int { return a.Address.Compare(b.Address) })
		}
		parts[i] = &Part{Frontends: p.Frontends, Pools: p.Pools, HealthChecks: p.HealthChecks}
	}
	s.parts[k] = parts
	return parts
}

// differs reports whether the Service's part may differ between two nodes without
// its endpoints.
func (s *service) differs() bool {
	if len(s.sourceRanges) > 0 {
		return true
	}
	hinted := false
	s.eachEndpoint(func(e *endpoint) { hinted = hinted || e.hints != nil })
	return hinted
}

// Lower adds the node's frontends, pools, ClusterIPs and health checks to the
// program; the caller normalizes it. Programs of other nodes share the
// endpoints, so they must not be changed.
func (m *Model) Lower(n *Node, p *ir.Program) {
	p.Frontends = make([]ir.Frontend, 0, len(m.services))
	p.Pools = make([]ir.Pool, 0, len(m.services))
	m.shared.once.Do(m.index)
	parts := m.partsFor(n)
	pods := make(map[netip.Addr]bool)
	own := make(map[int32]bool)
	for _, a := range m.shared.pods[n.Name] {
		pods[a] = true
		for _, i := range m.shared.at[a] {
			own[i] = true
		}
	}
	here := &localNode{Node: n, isPod: func(a netip.Addr) bool { return pods[a] }}
	for i, s := range m.services {
		switch part := parts[i]; {
		case len(s.ports) == 0:
		case part == nil || own[int32(i)]:
			here.lower(s, p)
		default:
			p.Frontends = append(p.Frontends, part.Frontends...)
			p.Pools = append(p.Pools, part.Pools...)
			p.HealthChecks = append(p.HealthChecks, part.HealthChecks...)
		}
	}
	p.ClusterIPs = slices.Clone(m.shared.clusterIPs)
}
