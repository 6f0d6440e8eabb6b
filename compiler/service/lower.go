package service

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Node holds the facts of a node that lowering needs.
type Node struct {
	Name string // metadata.name, which endpoints refer to
	// Zone is the node's topology.kubernetes.io/zone; "" is none.
	Zone string
	// Addresses are the node's own. Load-balancer source ranges that contain one
	// of them also admit the load balancer's address.
	Addresses []netip.Addr
	// Local tells in which families local pods can be recognised.
	Local         ir.LocalDetector
	MasqueradeAll bool // whether all packets to ClusterIPs get the node's source address
}

// LowerOnly is Lower for callers that need only one node's program: it computes
// nothing that other programs could share.
func (m *Model) LowerOnly(n *Node, p *ir.Program) {
	pods := make(map[netip.Addr]bool)
	for _, s := range m.services {
		s.eachEndpoint(func(e *endpoint) {
			if e.node != "" && e.node == n.Name {
				pods[e.address.Addr()] = true
			}
		})
	}
	p.Frontends = make([]ir.Frontend, 0, len(m.services))
	p.Pools = make([]ir.Pool, 0, len(m.services))
	m.Append(n, func(a netip.Addr) bool { return pods[a] }, make(map[netip.Addr]bool, len(m.services)), p)
}

// add adds one Service; seen are the program's ClusterIPs.
func (n *localNode) add(s *service, seen map[netip.Addr]bool, p *ir.Program) {
	if !s.programmed() {
		return
	}
	for _, a := range s.clusterIPs {
		if !seen[a] {
			seen[a] = true
			p.ClusterIPs = append(p.ClusterIPs, a)
		}
	}
	n.lower(s, p)
}

// lower adds one Service's frontends, pools and health checks.
func (n *localNode) lower(s *service, p *ir.Program) {
	for _, f := range s.families() {
		l := lowering{localNode: n, service: s, family: f, program: p, ranges: s.nodeRanges(f, n.Node)}
		for i := range s.ports {
			l.port(&s.ports[i])
		}
		l.healthCheck()
	}
}

// lowering is the state for one Service in one family on one node.
type lowering struct {
	*localNode
	service *service
	family  ir.Family
	program *ir.Program
	ranges  []netip.Prefix
}

// port adds the port's frontends and the pools they use.
func (l *lowering) port(p *port) {
	s := l.service
	external := s.externallyAccessible(p)
	wantCluster := !s.internalLocal || external
	wantLocal := s.internalLocal || (s.externalLocal && external)
	c := choose(*p.endpoints.of(l.family), l.localNode, wantCluster, wantLocal)
	id := portID(p.id) + "/" + l.family.String()
	r := routes{lowering: l, any: c.any, cluster: id + "/cluster", local: id + "/local"}
	pools := map[string][]ir.Endpoint{r.cluster: c.cluster, r.local: c.local}
	used := map[string]bool{}
	for i := range p.owned {
		o := &p.owned[i]
		if o.match.Family != l.family {
			continue
		}
		f := ir.Frontend{
			ID: o.id, Kind: o.kind, Service: p.id, Match: o.match, Affinity: s.affinity, Origin: p.origin,
		}
		f.Internal, f.External = r.of(o.kind)
		if o.kind == ir.LoadBalancer {
			f.SourceRanges = append([]netip.Prefix(nil), l.ranges...)
		}
		f.Lasting = lasting(p, l.family, pools[f.Internal.Pool], pools[f.External.Pool])
		used[f.Internal.Pool], used[f.External.Pool] = true, true
		l.program.Frontends = append(l.program.Frontends, f)
	}
	if used[r.cluster] {
		l.program.Pools = append(l.program.Pools, ir.Pool{ID: r.cluster, Endpoints: c.cluster, Origin: p.origin})
	}
	if used[r.local] {
		l.program.Pools = append(l.program.Pools, ir.Pool{ID: r.local, Endpoints: c.local, Origin: p.origin})
	}
}

// routes builds the routes of one port.
type routes struct {
	*lowering
	any            bool
	cluster, local string
}

func (r *routes) of(kind ir.FrontendKind) (internal, external ir.Route) {
	if kind == ir.ClusterIP {
		route := r.clusterIP()
		return route, route
	}
	return r.fromOutside()
}

// clusterIP returns the route to a ClusterIP, which is the same for every
// source. Without a local detector, "unless-local-source" cannot be decided,
// and kube-proxy then masquerades nothing.
func (r *routes) clusterIP() ir.Route {
	masquerade := ir.MasqueradeNever
	switch {
	case r.MasqueradeAll:
		masquerade = ir.MasqueradeAlways
	case r.Local.Detects(r.family):
		masquerade = ir.MasqueradeUnlessLocalSource
	}
	if r.service.internalLocal {
		return ir.Route{Pool: r.local, Masquerade: masquerade, OnEmpty: r.emptyLocal()}
	}
	return ir.Route{Pool: r.cluster, Masquerade: masquerade, OnEmpty: ir.Reject}
}

// fromOutside returns the routes to addresses for outside clients. With policy
// Local, packets from outside keep their source and stay on the node. Packets
// of pods and of the node itself are treated as with policy Cluster, as if
// they had left and come back: the shortcut of kube-proxy's external chains.
func (r *routes) fromOutside() (internal, external ir.Route) {
	if !r.service.externalLocal {
		route := ir.Route{Pool: r.cluster, Masquerade: ir.MasqueradeAlways, OnEmpty: ir.Reject}
		return route, route
	}
	return ir.Route{Pool: r.cluster, Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject},
		ir.Route{Pool: r.local, Masquerade: ir.MasqueradeNever, OnEmpty: r.emptyLocal()}
}

// emptyLocal is the answer for traffic that must stay on a node without
// endpoints: silence if other nodes have some, so that a client tries again,
// and a refusal otherwise.
func (r *routes) emptyLocal() ir.Refusal {
	if r.any {
		return ir.Drop
	}
	return ir.Reject
}

// nodeRanges returns the Service's source ranges as this node enforces them. A
// node may have the load balancer's address as its own and use it as the source
// of a connection to it, so the ranges then also admit that address
// (writeServiceToEndpointRules in pkg/proxy/nftables/proxier.go).
func (s *service) nodeRanges(f ir.Family, n *Node) []netip.Prefix {
	ranges := s.rangesFor(f)
	if len(ranges) == 0 {
		return nil
	}
	if !slices.ContainsFunc(n.Addresses, func(a netip.Addr) bool { return ir.ContainsAddr(ranges, a) }) {
		return ranges
	}
	for _, v := range s.vips {
		if v.kind == ir.LoadBalancer && ir.FamilyOf(v.addr) == f {
			ranges = append(ranges, netip.PrefixFrom(v.addr, v.addr.BitLen()))
		}
	}
	return ir.DisjointPrefixes(ranges)
}

// healthCheck adds the answer of the Service's healthCheckNodePort on this node.
func (l *lowering) healthCheck() {
	s := l.service
	if s.healthPort == 0 {
		return
	}
	local := make(map[netip.Addr]bool)
	for i := range s.ports {
		for _, e := range *s.ports[i].endpoints.of(l.family) {
			if e.ready && l.runs(&e) {
				local[e.address.Addr()] = true
			}
		}
	}
	l.program.HealthChecks = append(l.program.HealthChecks, ir.HealthCheck{
		Namespace: s.name.Namespace, Name: s.name.Name, Family: l.family, Port: s.healthPort,
		LocalEndpoints: len(local), Origin: s.origin.At("spec.healthCheckNodePort"),
	})
}
