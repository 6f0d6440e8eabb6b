// Package conntrack removes connections that the kernel still tracks to where
// they should not go any more.
//
// A rule is asked about the first packet of a connection only; connection
// tracking remembers what it said. A client that keeps sending UDP from one
// socket stays with an endpoint that is gone for as long as it sends
// (kubernetes/kubernetes#125467, #139628), or with no endpoint at all where its
// first packet came before there was one. TCP notices by itself.
//
//	programs before and after ─▶ Stale ─▶ filters ─┐
//	                                               ├─▶ Table: one dump, then what matches is deleted
//	program, by option        ─▶ Denied ───────────┘
//
// What kube-proxy does (pkg/proxy/conntrack) and this package too: flows to a
// frontend that serves are removed if they go to none of its endpoints; traffic
// policies do not count, so a flow to an endpoint of either route stays. What is
// more here: SCTP; frontends that are gone or have no endpoints any more; ports
// of endpoints; and nodePorts only where the destination is an address that
// serves them, so that a pod's query of some server's port 30053 is left alone.
// What differs: a program does not have endpoints that terminate while others
// are ready, so flows to those are removed once they leave the program.
//
// Rules have to be in the kernel before flows are removed, or the next packet
// brings the old answer back.
package conntrack
