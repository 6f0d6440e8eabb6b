// Package loop is the main loop of planec-agent: it follows the objects of a cluster and
// applies what they change to the kernel of one node.
//
//	source ─▶ inbox ─▶ window ─▶ session ─▶ kernel
//	                                │            │
//	                                ▼            ▼
//	                        flows, health,    drift ─▶ verify and repair
//	                        metrics, events
//
// The loop applies nothing before the first listing is complete. When an apply fails, the
// old rules stay in the kernel, and the loop tries again at growing intervals. It finds
// changes that other programs made to planec's rules through the kernel's notices, or
// else by a comparison of the whole at intervals. The rules stay when the agent ends.
package loop
