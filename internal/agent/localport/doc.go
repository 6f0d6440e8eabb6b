// Package localport serves TCP nodePorts on the node's loopback addresses,
// 127.0.0.1 and ::1, in user space. The kernel's rules do not serve these
// addresses, because DNAT of their packets needs route_localnet, which exposes the
// node's loopback services to its network. A forwarder accepts connections of the
// node's own programs and opens connections to endpoints from the node's address.
//
// Like kube-proxy of Kubernetes 1.37 (pkg/proxy/localnodeportproxy), it selects a
// random endpoint, or with affinity the last endpoint that any local client got.
package localport
