// Package ipam writes addresses of pools into the status of Services of type LoadBalancer, for
// one agent of a cluster: the one that holds a Lease. What Services get is decided by
// compiler/ipam; here is who writes it, and when.
//
// # Two agents never write two answers
//
// Only the holder of the Lease reads Services and writes. It asks before each write whether the
// Lease still holds by its own clock, and gives a Lease that it ends with no earlier than it
// expires, so that an answer on its way is there before another agent begins. Each write names
// the version of the Service that it is about, and the API server refuses it if the Service has
// changed. An agent that is stopped between its look at the clock and a write can write an answer
// of the past: the next look at all Services finds an address that two have, and the younger
// Service gets another one.
//
// # Between a write and its echo
//
// A Service that was written keeps its address for this agent although a list may be older:
// [compiler/ipam.Settings].Held.
package ipam
