// Package testkit tries rules in a real kernel: a Kubernetes node with its pods
// and the world around it, as network namespaces of the test's own process.
//
//	   world (every address that is not the node's)          node
//	┌────────────────────────────────────────────────┐   ┌─────────────────────┐
//	│ clients, remote pods, the internet        up ──┼───┼── eth0   rules under│
//	│ local pod 10.1.0.5                     pod0 ───┼───┼── veth0  test, host │
//	│ local pod 10.1.0.6                     pod1 ───┼───┼── veth1  network    │
//	└────────────────────────────────────────────────┘   └─────────────────────┘
//
// Two namespaces are enough. The world takes every address as its own (AnyIP: a
// local default route), so one wildcard listener per protocol and port stands
// for every endpoint, and any client can be played. It also sends everything
// through the node, even what it would deliver to itself: rules for packets of
// its own ("iif lo") come before its local table, and they leave by the veth of
// the local pod that the source is, or else by the uplink. So a packet between
// two pods, or from a pod back to itself, crosses the node as it does in a
// cluster, and an answer comes back the way it went.
//
// Nothing resolves neighbours or checks duplicates: every next hop is a permanent
// neighbour. Pods are routed ("addr dev veth0", and a gateway that no interface
// has, as with Calico); with an interface detector they are ports of a bridge of that
// name whose gateway is the node, so that their packets come in by the bridge.
//
// A port that a flow names is listened on everywhere. Whatever a rule set lets
// through by mistake is therefore answered, by the very address it was sent to,
// and is never taken for a rejection or a drop.
//
// TCP and UDP are real sockets. SCTP, which few kernels have though all translate
// it, is played with raw ones: an INIT and its answer. In a kernel that has SCTP
// (a module, usually) that would answer too, with ABORT; do not load it.
//
// The namespaces have no names; the kernel removes them when the process ends,
// however it ends.
package testkit
