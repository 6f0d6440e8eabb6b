// Package localport serves the nodePorts of TCP on the node's loopback addresses,
// 127.0.0.1 and ::1, in user space. The kernel's rules leave these addresses alone:
// to change the destination of their packets takes route_localnet, which opens the
// node's own services to its network. A forwarder takes connections of the node's own
// programs and makes others to endpoints, from the node's address.
//
// It does what kube-proxy of Kubernetes 1.37 does (pkg/proxy/localnodeportproxy): a
// random endpoint, or with affinity the last one that was given to any local client.
package localport
