package objects

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/ir"
)

// NodeIPs returns a node's own addresses without duplicates: of each family the
// InternalIPs, or without any the ExternalIPs (GetNodeHostIPs of Kubernetes'
// pkg/util/node, which takes the first of these). It calls bad, which may be nil, with
// the index of each invalid one.
func NodeIPs(n *corev1.Node, bad func(i int)) []netip.Addr {
	byType := make(map[corev1.NodeAddressType][]netip.Addr)
	seen := make(map[netip.Addr]bool)
	for i, a := range n.Status.Addresses {
		if a.Type != corev1.NodeInternalIP && a.Type != corev1.NodeExternalIP {
			continue
		}
		addr, err := netip.ParseAddr(a.Address)
		addr = addr.Unmap()
		if err != nil || addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
			if bad != nil {
				bad(i)
			}
			continue
		}
		if a.Type == corev1.NodeInternalIP || !seen[addr] {
			byType[a.Type] = append(byType[a.Type], addr)
		}
		seen[addr] = true
	}
	var out []netip.Addr
	for _, f := range ir.Families() {
		list := ir.AddrsOf(f, byType[corev1.NodeInternalIP])
		if len(list) == 0 {
			list = ir.AddrsOf(f, byType[corev1.NodeExternalIP])
		}
		out = append(out, list...)
	}
	return out
}
