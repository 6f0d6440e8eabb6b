// Package clustergen generates synthetic clusters of any size for benchmarks: as
// objects in memory, and as JSON and YAML in the format of `kubectl get -o`. The
// output depends only on the sizes.
//
// Services have one port "http" and the ClusterIPs that follow 10.96.0.0; each
// has one EndpointSlice, whose endpoints follow 10.128.0.0 and are spread over
// 100 nodes in two zones. Twenty Services share a namespace.
package clustergen
