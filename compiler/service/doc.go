// Package service lowers Services and EndpointSlices into frontends and pools.
//
// It works in two steps. [Analyze] reads the objects once for the whole
// cluster: it checks them, joins slices to Service ports and settles which
// Service owns an address. [Model.Lower] then chooses for one node: which
// endpoints its pools hold (conditions, topology, traffic policies) and which
// route a packet takes. What a node's rules depend on is decided in Lower and
// nowhere else.
//
// The behaviour is that of kube-proxy's nftables mode in Kubernetes v1.37
// (pkg/proxy/serviceport.go, topology.go, endpointslicecache.go), with the
// order of everything made definite.
package service
