// Package loop keeps one node's kernel what a cluster's objects say, for as long
// as it runs: a node's service proxy.
//
//	source ─▶ inbox ─▶ window ─▶ session ─▶ kernel
//	                                │            │
//	                                ▼            ▼
//	                        flows, health,    drift ─▶ verify and repair
//	                        metrics, events
//
// Nothing is applied before the first listing is complete. A failed apply leaves
// the old rules where they are and is tried again, later each time. What another program
// else does to our rules is seen where the kernel tells of it, and by a full
// verification now and then otherwise. When the agent ends its rules stay.
package loop
