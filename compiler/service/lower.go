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
	ports := 0
	for _, s := range m.services {
		ports += len(s.ports)
		s.eachEndpoint(func(e *endpoint) {
			if e.node != "" && e.node == n.Name {
				pods[e.address.Addr()] = true
			}
		})
	}
	b := NewBuilder(n, func(a netip.Addr) bool { return pods[a] }, p, ports)
	b.Append(m)
	b.Finish()
}

// Builder adds Services to the program of one node.
type Builder struct {
	here    localNode
	program *ir.Program
}

// NewBuilder returns a Builder with room for the frontends and pools of about so many ports of
// Services. isPod is as for [Model.Parts].
func NewBuilder(n *Node, isPod func(netip.Addr) bool, p *ir.Program, ports int) *Builder {
	p.Frontends = make([]ir.Frontend, 0, ports)
	p.Pools = make([]ir.Pool, 0, ports)
	p.ClusterIPs = make([]netip.Addr, 0, ports)
	return &Builder{here: localNode{Node: n, isPod: isPod}, program: p}
}

// Append adds all Services of a model.
func (b *Builder) Append(m *Model) {
	for _, s := range m.services {
		b.add(s)
	}
}

// Add adds one Service, which may have no rules.
func (b *Builder) Add(s *Single) {
	if s.service != nil {
		b.add(s.service)
	}
}

func (b *Builder) add(s *service) {
	if s.programmed() {
		b.program.ClusterIPs = append(b.program.ClusterIPs, s.clusterIPs...)
		b.here.lower(s, b.program)
	}
}

// Finish must follow the last Service. The caller then normalizes the program.
func (b *Builder) Finish() {
	slices.SortFunc(b.program.ClusterIPs, netip.Addr.Compare)
	b.program.ClusterIPs = slices.Compact(b.program.ClusterIPs)
}

// lower adds one Service's frontends, pools and health checks.
func (n *localNode) lower(s *service, p *ir.Program) {
	for _, f := range ir.Families() {
		if !s.serves(f) {
			continue
		}
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
	external := l.service.externallyAccessible(p)
	wantCluster := !l.service.internalLocal || external
	wantLocal := l.service.internalLocal || (l.service.externalLocal && external)
	c := choose(*p.endpoints.of(l.family), l.localNode, wantCluster, wantLocal)
	r := routes{Node: l.Node, service: l.service, family: l.family, any: c.any}
	l.ids.of(&p.id)
	if wantCluster {
		r.cluster = l.ids.pool(l.family, "cluster")
	}
	if wantLocal {
		r.local = l.ids.pool(l.family, "local")
	}
	cluster, local := false, false
	for i := range p.owned {
		if o := &p.owned[i]; o.match.Family == l.family {
			f := l.frontend(p, o, &r, &c)
			for _, pool := range []string{f.Internal.Pool, f.External.Pool} {
				cluster, local = cluster || pool == r.cluster, local || pool == r.local
			}
		}
	}
	if cluster {
		l.program.Pools = append(l.program.Pools, ir.Pool{ID: r.cluster, Endpoints: c.cluster, Origin: ir.Share(p.origin)})
	}
	if local {
		l.program.Pools = append(l.program.Pools, ir.Pool{ID: r.local, Endpoints: c.local, Origin: ir.Share(p.origin)})
	}
}

// frontend adds one of the port's frontends.
func (l *lowering) frontend(p *port, o *claim, r *routes, c *choice) *ir.Frontend {
	l.program.Frontends = append(l.program.Frontends, ir.Frontend{
		ID: l.ids.frontend(o), Kind: o.kind, Service: p.id, Match: o.match, Affinity: l.service.affinity, Origin: ir.Share(p.origin),
	})
	f := &l.program.Frontends[len(l.program.Frontends)-1]
	f.Internal, f.External = r.of(o.kind)
	if o.kind == ir.LoadBalancer {
		f.SourceRanges = append([]netip.Prefix(nil), l.ranges...)
	}
	pool := func(id string) []ir.Endpoint {
		if id == r.cluster {
			return c.cluster
		}
		return c.local
	}
	f.Lasting = lasting(p, l.family, pool(f.Internal.Pool), pool(f.External.Pool))
	return f
}

// routes builds the routes of one port.
type routes struct {
	*Node
	service        *service
	family         ir.Family
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
