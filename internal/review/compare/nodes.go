package compare

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// nodeEntities returns the nodes of both states, grouped by equal treatment
// by policies. A single node is no entity, because it always reaches its own
// pods.
func nodeEntities(before, after *side) []*entity {
	addresses := func(s *State) map[string]clusterwide.Ends {
		out := make(map[string]clusterwide.Ends)
		for _, n := range s.Objects.Nodes {
			if e := endsOfNode(n.Object); e.Primary != 0 {
				out[n.Object.Name] = e
			}
		}
		return out
	}
	old := addresses(before.state)
	fresh := addresses(after.state)
	if len(fresh) < 2 {
		return nil
	}
	index := make(map[string]*entity)
	var out []*entity
	for _, name := range after.state.Cluster.Nodes() {
		b, was := old[name]
		a, is := fresh[name]
		if !was || !is {
			continue
		}
		class := before.Signature(&b) + " | " + after.Signature(&a)
		if e := index[class]; e != nil {
			e.count++
			continue
		}
		e := &entity{role: nodeRole, name: name, count: 1, before: b, after: a, class: "node " + class}
		index[class] = e
		out = append(out, e)
	}
	return out
}

// endsOfNode returns a node's first address of each family.
func endsOfNode(n *corev1.Node) clusterwide.Ends {
	e := clusterwide.Ends{Addresses: make(map[ir.Family]netip.Addr)}
	for _, a := range objects.NodeIPs(n, nil) {
		if _, have := e.Addresses[ir.FamilyOf(a)]; !have {
			e.Addresses[ir.FamilyOf(a)] = a
		}
		if e.Primary == 0 {
			e.Primary = ir.FamilyOf(a)
		}
	}
	return e
}

// standInNodes returns the stand-ins for nodes outside of the input.
func standInNodes(u *universe, before, after *side) []*entity {
	var out []*entity
	for i := range u.nodes {
		x := endsOfNode(u.nodes[i].node)
		if x.Primary == 0 {
			continue
		}
		e := &entity{role: nodeRole, count: 2, before: x, after: x, node: u.nodes[i].labels}
		e.class = "node " + before.Signature(&x) + " | " + after.Signature(&x)
		out = append(out, e)
	}
	return out
}
