package service

import (
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/ir"
)

// choice holds the endpoints of one port on one node, for one family
// (CategorizeEndpoints in pkg/proxy/topology.go).
type choice struct {
	// cluster are the endpoints for traffic without a restriction, local those
	// for traffic that must stay on the node; each falls back to terminating
	// endpoints independently.
	cluster, local []ir.Endpoint
	// any reports that some node has an endpoint: traffic without a local
	// endpoint is then dropped instead of rejected.
	any bool
}

// choose selects the endpoints for the node. wantCluster and wantLocal say
// which of the lists a route uses.
func choose(endpoints []endpoint, n *localNode, wantCluster, wantLocal bool) choice {
	var c choice
	if wantCluster {
		c.cluster = clusterEndpoints(endpoints, n)
	}
	if wantLocal {
		c.local = localEndpoints(endpoints, n)
	}
	for i := range endpoints {
		if endpoints[i].ready || endpoints[i].fallback() {
			c.any = true
			break
		}
	}
	return c
}

func clusterEndpoints(endpoints []endpoint, n *localNode) []ir.Endpoint {
	allowed := topology(endpoints, n)
	chosen := pick(endpoints, n, func(e *endpoint) bool { return e.takes() && allowed(e) })
	if len(chosen) > 0 {
		return chosen
	}
	// Topology falls back to all endpoints, so no endpoint is ready anywhere.
	return pick(endpoints, n, (*endpoint).fallback)
}

func localEndpoints(endpoints []endpoint, n *localNode) []ir.Endpoint {
	chosen := pick(endpoints, n, func(e *endpoint) bool { return e.ready && n.runs(e) })
	if len(chosen) > 0 {
		return chosen
	}
	return pick(endpoints, n, func(e *endpoint) bool { return e.fallback() && n.runs(e) })
}

func pick(endpoints []endpoint, n *localNode, want func(*endpoint) bool) []ir.Endpoint {
	out := n.endpoints.take(count(endpoints, want))
	for i := range endpoints {
		e := &endpoints[i]
		if want(e) {
			out = append(out, ir.Endpoint{Address: e.address, Local: n.isPod(e.address.Addr()), Weight: 1})
			out[len(out)-1].SetElement(e.slice, e.element)
		}
	}
	return out
}

func count(endpoints []endpoint, want func(*endpoint) bool) (n int) {
	for i := range endpoints {
		if want(&endpoints[i]) {
			n++
		}
	}
	return n
}

// lasting returns the serving endpoints that are in none of the pools, sorted. A serving
// endpoint keeps its flows, whatever traffic policies, hints, readiness and termination
// mean for new connections (CleanStaleEntries in pkg/proxy/conntrack). TCP needs none.
func lasting(p *port, f ir.Family, pools ...[]ir.Endpoint) []netip.AddrPort {
	if p.id.Protocol == ir.TCP {
		return nil
	}
	var out []netip.AddrPort
	for _, e := range *p.endpoints.of(f) {
		in := func(pool []ir.Endpoint) bool {
			_, found := slices.BinarySearchFunc(pool, e.address, func(have ir.Endpoint, want netip.AddrPort) int { return have.Address.Compare(want) })
			return found
		}
		if e.serving && !slices.ContainsFunc(pools, in) {
			out = append(out, e.address)
		}
	}
	return out
}

// topology uses the hints of the endpoints that take connections to select those for this
// node: those hinted to the node if every endpoint has node hints and one
// names the node (KEP-3015), else those hinted to its zone under the same
// condition (KEP-2433), else all.
func topology(endpoints []endpoint, n *localNode) func(*endpoint) bool {
	nodes, zones := true, n.Zone != ""
	forNode, forZone := false, false
	for i := range endpoints {
		e := &endpoints[i]
		if !e.takes() {
			continue
		}
		nodes = nodes && e.hints != nil && len(e.hints.ForNodes) > 0
		zones = zones && e.hints != nil && len(e.hints.ForZones) > 0
		forNode = forNode || e.hintsNode(n.Name)
		forZone = forZone || e.hintsZone(n.Zone)
	}
	switch {
	case nodes && forNode:
		return func(e *endpoint) bool { return e.hintsNode(n.Name) }
	case zones && forZone:
		return func(e *endpoint) bool { return e.hintsZone(n.Zone) }
	}
	return func(*endpoint) bool { return true }
}

func (e *endpoint) hintsNode(name string) bool {
	return e.hints != nil && slices.ContainsFunc(e.hints.ForNodes, func(n discoveryv1.ForNode) bool { return n.Name == name })
}

func (e *endpoint) hintsZone(zone string) bool {
	return e.hints != nil && slices.ContainsFunc(e.hints.ForZones, func(z discoveryv1.ForZone) bool { return z.Name == zone })
}

// localNode is a node together with the pods that endpoints place on it.
type localNode struct {
	*Node
	// isPod reports whether any endpoint on the node has the address. An
	// endpoint without a nodeName is not chosen as a local one, but other
	// endpoints may tell that its address belongs to a local pod: a pod that
	// connects to itself must be masqueraded.
	isPod func(netip.Addr) bool
	// endpoints and ids are what parts of programs are made of.
	endpoints slab[ir.Endpoint]
	ids       ids
}

// runs reports whether the endpoint is on the node.
func (n *localNode) runs(e *endpoint) bool { return e.node != "" && e.node == n.Name }
