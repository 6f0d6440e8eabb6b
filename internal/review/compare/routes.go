package compare

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// compareRoutes finds nodes that serve a Service differently, even if its
// endpoints are the same.
func (c *serviceComparison) compareRoutes(name objects.Name, both [][2]*front, was, is map[ir.ServicePort][]netip.AddrPort) {
	for _, inside := range []bool{false, true} {
		x := routeChange{comparison: c, name: name, inside: inside, was: was, is: is}
		for _, pair := range both {
			x.collect(pair[0], pair[1])
		}
		x.tell()
	}
}

// routeChange collects the nodes' changes for connections from inside or
// outside.
type routeChange struct {
	comparison *serviceComparison
	name       objects.Name
	inside     bool
	// was and is are the endpoints of each port over all nodes; compareEndpoints
	// reports their changes.
	was, is map[ir.ServicePort][]netip.AddrPort
	// stopped, started and others are nodes that no longer serve clients, now
	// do, or choose among other endpoints.
	stopped, started, others map[string]bool
	refusal                  ir.Refusal
	keeps, hides             []*front
	nowDrops, nowRejects     []*front
}

func (x *routeChange) choice(r routes) choice {
	if x.inside {
		return r.internal
	}
	return r.external
}

func (x *routeChange) collect(was, is *front) {
	if !x.inside && is.kind == ir.ClusterIP {
		return // outside clients are not meant to connect there
	}
	before, after := was.endpoints(), is.endpoints()
	source, refusal := false, false
	for _, node := range slices.Sorted(maps.Keys(is.nodes)) {
		old, there := was.nodes[node]
		if !there {
			continue
		}
		a, b := x.choice(old), x.choice(is.nodes[node])
		switch {
		case len(before) == 0 || len(after) == 0:
		case len(a.endpoints) > 0 && len(b.endpoints) == 0:
			mark(&x.stopped, node)
			x.refusal = b.onEmpty
		case len(a.endpoints) == 0 && len(b.endpoints) > 0:
			mark(&x.started, node)
		case x.unexplained(was, is, a, b):
			mark(&x.others, node)
		}
		if len(a.endpoints)+len(b.endpoints) == 0 && a.onEmpty != b.onEmpty && !refusal {
			refusal = true
			if b.onEmpty == ir.Drop {
				x.nowDrops = append(x.nowDrops, is)
			} else {
				x.nowRejects = append(x.nowRejects, is)
			}
		}
		if !x.inside && !source && (a.masquerade == ir.MasqueradeNever) != (b.masquerade == ir.MasqueradeNever) {
			source = true
			if b.masquerade == ir.MasqueradeNever {
				x.keeps = append(x.keeps, is)
			} else {
				x.hides = append(x.hides, is)
			}
		}
	}
}

// unexplained reports whether a node's choice lost or gained endpoints that the
// Service as a whole did not.
func (x *routeChange) unexplained(was, is *front, a, b choice) bool {
	before, after := x.was[was.service], x.is[is.service]
	return len(without(without(a.endpoints, b.endpoints), without(before, after))) > 0 ||
		len(without(without(b.endpoints, a.endpoints), without(after, before))) > 0
}

func mark(m *map[string]bool, node string) {
	if *m == nil {
		*m = make(map[string]bool)
	}
	(*m)[node] = true
}

func (x *routeChange) tell() {
	c, who := x.comparison, "from outside the cluster"
	if x.inside {
		who = "from pods"
	}
	because := c.because(x.name, "spec.externalTrafficPolicy", "spec.internalTrafficPolicy", "spec.trafficDistribution")
	if len(because) == 0 {
		because = c.becauseOfSlices(x.name)
	}
	if len(x.stopped) > 0 {
		c.add(x.name, diffreport.Closed, because, "connections %s to Service %v are %s on %s", who, x.name, refusalWord(x.refusal), withoutEndpoint(x.stopped))
	}
	if len(x.started) > 0 {
		c.add(x.name, diffreport.Opened, because, "connections %s to Service %v are served on %s too", who, x.name, nodeNames(x.started))
	}
	if len(x.others) > 0 {
		c.add(x.name, diffreport.Endpoints, because, "connections %s to Service %v are given to other endpoints on %s than before", who, x.name, nodeNames(x.others))
	}
	if len(x.keeps) > 0 {
		c.add(x.name, diffreport.Source, because, "endpoints of Service %v now see the client's own address on connections through %s, no longer a node's", x.name, whereAll(x.keeps))
	}
	if len(x.hides) > 0 {
		c.add(x.name, diffreport.Source, because, "endpoints of Service %v now see a node's address on connections through %s, no longer the client's own", x.name, whereAll(x.hides))
	}
	for _, r := range []struct {
		list []*front
		word string
	}{{x.nowDrops, "dropped, no longer rejected"}, {x.nowRejects, "rejected, no longer dropped"}} {
		if len(r.list) > 0 {
			c.add(x.name, diffreport.Refusal, because, "Service %v has no endpoints, and connections %s through %s are now %s", x.name, who, whereAll(r.list), r.word)
		}
	}
}

// withoutEndpoint names nodes without an endpoint. If the input has no nodes, it
// describes them instead.
func withoutEndpoint(m map[string]bool) string {
	if m[""] {
		return "nodes that have no endpoint of it"
	}
	return nodeNames(m) + ", where it has no endpoint"
}

func nodeNames(m map[string]bool) string {
	const most = 3
	names := slices.Sorted(maps.Keys(m))
	if slices.Equal(names, []string{""}) {
		return "nodes"
	}
	if len(names) > most+1 {
		names = append(names[:most], fmt.Sprintf("%d more nodes", len(names)-most))
	}
	return clusterwide.Join(names, "and")
}
