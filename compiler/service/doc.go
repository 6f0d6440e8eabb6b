// Package service lowers Services and EndpointSlices into frontends and pools.
//
// It has two steps. [Analyze] reads the objects once for the whole cluster:
// it validates them, joins slices to Service ports and decides which Service
// owns an address. [Model.Lower] then decides for one node: which endpoints
// its pools contain (conditions, topology, traffic policies) and which route
// a packet takes. All decisions that depend on a node are in Lower.
//
// For [compiler.Incremental], [AnalyzeOwned] reads a few Services together, and a
// [Reader] one after another, which a [Builder] adds to a program.
//
// The behaviour is that of kube-proxy's nftables mode in Kubernetes v1.37
// (pkg/proxy/serviceport.go, topology.go, endpointslicecache.go), but with a
// defined order everywhere.
package service
