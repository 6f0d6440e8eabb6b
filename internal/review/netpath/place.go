package netpath

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
)

// Place is the owner of an address.
type Place struct {
	// Node is the node of the address. It is "" outside the cluster, and for a
	// pod without a node.
	Node string
	// Host marks an address of the node, Pod one of a pod. Without either, the
	// address is outside.
	Host, Pod bool
	// Namespace and Name are those of a pod.
	Namespace, Name string
}

// places maps the addresses of nodes and of unfinished pods to their owners. A
// pod on the host's network has the node's addresses and therefore counts as
// the node.
func places(set *objects.Set) map[netip.Addr]Place {
	out := make(map[netip.Addr]Place)
	for _, src := range set.Pods {
		p := src.Object
		if p.Spec.HostNetwork || Finished(p) {
			continue
		}
		for _, a := range PodAddresses(p) {
			out[a] = Place{Node: p.Spec.NodeName, Pod: true, Namespace: p.Namespace, Name: p.Name}
		}
	}
	for _, src := range set.Nodes {
		for _, a := range NodeAddresses(src.Object) {
			out[a] = Place{Node: src.Object.Name, Host: true}
		}
	}
	return out
}

// Finished reports whether a pod has ended and so released its addresses.
func Finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// PodAddresses returns the addresses of a pod, the primary first. It drops
// invalid ones, which the compiler reports.
func PodAddresses(p *corev1.Pod) []netip.Addr {
	values := []string{p.Status.PodIP}
	for _, ip := range p.Status.PodIPs {
		values = append(values, ip.IP)
	}
	return ParseAddresses(values)
}

// NodeAddresses returns a node's own addresses ([objects.NodeIPs]).
func NodeAddresses(n *corev1.Node) []netip.Addr { return objects.NodeIPs(n, nil) }

// ParseAddresses parses addresses, and drops duplicates and invalid ones.
func ParseAddresses(values []string) []netip.Addr {
	var out []netip.Addr
	seen := make(map[netip.Addr]bool)
	for _, v := range values {
		if a, err := netip.ParseAddr(v); err == nil && !seen[a.Unmap()] {
			seen[a.Unmap()] = true
			out = append(out, a.Unmap())
		}
	}
	return out
}
