package compiler

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// othersAddresses returns the addresses of all nodes but one.
func othersAddresses(nodes map[string]objects.Sourced[*corev1.Node], node string) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	for name, n := range nodes {
		if name == node {
			continue
		}
		for _, a := range objects.NodeIPs(n.Object, nil) {
			out[a] = true
		}
	}
	return out
}

// markElsewhere marks the frontends whose address belongs to another node or to an
// endpoint. The node's own addresses are never marked, even if another Node lists them.
func markElsewhere(frontends []ir.Frontend, own []netip.Addr, nodes map[netip.Addr]bool, endpoint func(netip.Addr) bool) {
	for i := range frontends {
		f := &frontends[i]
		if f.Kind != ir.LoadBalancer && f.Kind != ir.ExternalIP {
			continue
		}
		f.Elsewhere = (nodes[f.Match.Address] || endpoint(f.Match.Address)) && !slices.Contains(own, f.Match.Address)
	}
}

// listsNewly reports whether an address that Services list has become another
// node's, or has stopped being one.
func (x *Incremental) listsNewly(had map[netip.Addr]bool) bool {
	for _, pair := range [][2]map[netip.Addr]bool{{had, x.otherNodes}, {x.otherNodes, had}} {
		for a := range pair[0] {
			if !pair[1][a] && x.common.listed.has(a) {
				return true
			}
		}
	}
	return false
}
