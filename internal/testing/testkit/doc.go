// Package testkit tests rules in a real kernel: it builds a Kubernetes node with
// its pods and the surrounding world from network namespaces of the test process.
//
//	   world (every address that is not the node's)          node
//	┌────────────────────────────────────────────────┐   ┌─────────────────────┐
//	│ clients, remote pods, the internet        up ──┼───┼── eth0   rules under│
//	│ local pod 10.1.0.5                     pod0 ───┼───┼── veth0  test, host │
//	│ local pod 10.1.0.6                     pod1 ───┼───┼── veth1  network    │
//	└────────────────────────────────────────────────┘   └─────────────────────┘
//
// Two namespaces suffice. In the world, every address is local (AnyIP: a local
// default route), so one wildcard listener per protocol and port represents every
// endpoint, and the world can act as any client. It also sends every packet
// through the node, even packets to itself: rules for its own packets ("iif lo")
// precede its local table, and these packets leave by the veth of the local pod
// with that source address, or else by the uplink. So a packet between two pods,
// or from a pod to itself, crosses the node as in a cluster, and an answer returns
// the same way.
//
// There is no neighbour resolution or duplicate detection: every next hop is a permanent
// neighbour. Pods are routed ("addr dev veth0", with a gateway address that no interface
// has, as with Calico). With an interface detector, they are ports of a bridge with that
// name, and the node is their gateway, so that their packets arrive on the bridge.
//
// That is the plain layout. With another [Layout], every pod has a namespace with its
// address, asks for the hardware addresses of its neighbours, and is joined to the node as
// a network plugin does; pods of other nodes are behind a tunnel, on another node.
//
// The ports of all flows are open on every address. So a packet that a rule set
// lets through by mistake is answered by the address that it was sent to, and the
// mistake is not taken for a rejection or a drop.
//
// TCP and UDP use real sockets. SCTP, which few kernels have although all translate
// it, is emulated with raw sockets: an INIT and its answer. A kernel with SCTP
// (usually a module) would also answer, with ABORT; do not load the module.
//
// The namespaces have no names; the kernel removes them when the process ends for any
// reason.
package testkit
