package netpath

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Pod is one end of a matrix.
type Pod struct {
	// Cluster is the cluster of the pod among several, or "".
	Cluster         string
	Namespace, Name string // metadata of the Pod
	// Workload is the common name of its replicas.
	Workload string
	Place    Owner // its node, and so its role for policies
	// Addresses holds the pod's first address of each family.
	Addresses map[ir.Family]netip.Addr
	// Primary is the family of its first address.
	Primary ir.Family
	text    string
}

// String returns "namespace/name", or "cluster/namespace/name".
func (p *Pod) String() string { return p.text }

// Pods returns the pods that can be an end of a connection, sorted:
// unfinished, with an address. Pods on the host's network have the address of
// their node.
func Pods(set *objects.Set) []Pod {
	var out []Pod
	// Of two objects with the same name, the first is used.
	for _, src := range slices.SortedFunc(slices.Values(set.Pods), objects.CompareFirst) {
		o := src.Object
		addrs := PodAddresses(o)
		if objects.Finished(o) || len(addrs) == 0 {
			continue
		}
		p := Pod{Namespace: o.Namespace, Name: o.Name, Addresses: make(map[ir.Family]netip.Addr, 2), Primary: ir.FamilyOf(addrs[0])}
		p.Workload = Workload(o.Name, o.Labels)
		p.text = p.Namespace + "/" + p.Name
		p.Place = Owner{Node: o.Spec.NodeName, Host: o.Spec.HostNetwork, Pod: !o.Spec.HostNetwork, Namespace: o.Namespace, Name: o.Name}
		for _, a := range addrs {
			if _, have := p.Addresses[ir.FamilyOf(a)]; !have {
				p.Addresses[ir.FamilyOf(a)] = a
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return slices.CompactFunc(out, func(a, b Pod) bool { return a.Namespace == b.Namespace && a.Name == b.Name })
}

// Common returns the addresses of a connection between two ends with addresses by
// family: of the source's primary family if the destination has it, else of the other.
func Common(from, to map[ir.Family]netip.Addr, primary ir.Family) (src, dst netip.Addr, ok bool) {
	for _, f := range []ir.Family{primary, ir.IPv4 + ir.IPv6 - primary} {
		src, okSrc := from[f]
		dst, okDst := to[f]
		if okSrc && okDst {
			return src, dst, true
		}
	}
	return src, dst, false
}
