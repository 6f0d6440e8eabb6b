// Package announce decides which node announces which addresses of Services to the network,
// to whom, and with which attributes. It is pure: values in, values out, and the same in any
// order of the objects.
//
// # Which nodes may
//
// [Cluster] (candidates.go) has the part that no protocol decides: which addresses there are,
// and which nodes may announce one. A node may not if its label
// node.kubernetes.io/exclude-from-external-load-balancers keeps load balancers away, or if it
// has no network (the condition NetworkUnavailable). With a Cluster traffic policy all other
// nodes may while the Service has an endpoint of the address's family; with a Local one, those
// with such an endpoint. Endpoints that are ready count; where none is ready on any node, those
// that still serve while they terminate (KEP-1669), since nodes fall back to them.
//
// # BGP
//
// [Cluster.BGP] reads the objects of MetalLB and of Cilium. Both may be there: their peers have
// one router on each node. Sources: internal/config, internal/bgp/frr and speaker of MetalLB;
// pkg/bgp/manager and operator/pkg/bgp of Cilium.
//
// # What differs from the projects
//
// MetalLB refuses its whole configuration for one wrong object: here the object is left out, or
// the part of it, with a finding. MetalLB counts endpoints that terminate as those that are
// ready, so a node keeps its route until the last one is gone; Cilium and planec withdraw it
// before, while other nodes have ready ones.
package announce
