// Package peers measures planec and kube-proxy on the same objects, in one run, with the
// real kernel: `make bench-peers`. kube-proxy's modes are linked as Go packages, planec is
// what its agent applies with: a session and an applier over all dataplanes.
//
// Each side is a process of its own (the test binary once more) inside the node of a new
// rig. It has the objects in memory, as after the caches have synced, and does in turn:
//
//	first    all objects to the kernel's acknowledgement, in an empty kernel
//	slice    one EndpointSlice of which one endpoint changes
//	nothing  kube-proxy: a sync that finds no change; planec: a slice that says the same
//	event    the slice that says the same; kube-proxy notices, and does not sync
//
// Then a pod of the node connects to random Services, and another process does
//
//	restart  the same as first, over the right rules
//
// A cost is the CPU time, user and system, of that process and of the programs that it ran.
// Whatever either side does besides stays in, such as kube-proxy's look at the tracked
// connections. Between cells the tracked connections are removed, so that those of the
// connects burden neither side.
package peers
