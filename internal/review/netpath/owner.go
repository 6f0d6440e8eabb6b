package netpath

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
)

// Owner is the object that has an address.
type Owner struct {
	// Node is the node of the address. It is "" outside the cluster, and for a
	// pod without a node.
	Node string
	// Host marks an address of the node, Pod one of a pod. Without either, the
	// address is outside.
	Host, Pod bool
	// Namespace and Name are those of a pod.
	Namespace, Name string
}

// Owners maps the addresses of nodes and of unfinished pods to their owners. A
// pod on the host's network has the node's addresses and therefore counts as
// the node.
func Owners(set *objects.Set) map[netip.Addr]Owner {
	out := make(map[netip.Addr]Owner)
	for _, src := range set.Pods {
		p := src.Object
		if p.Spec.HostNetwork || objects.Finished(p) {
			continue
		}
		for _, a := range PodAddresses(p) {
			out[a] = Owner{Node: p.Spec.NodeName, Pod: true, Namespace: p.Namespace, Name: p.Name}
		}
	}
	for _, src := range set.Nodes {
		for _, a := range objects.NodeIPs(src.Object, nil) {
			out[a] = Owner{Node: src.Object.Name, Host: true}
		}
	}
	return out
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
