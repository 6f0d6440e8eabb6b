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
// What kube-proxy 1.37 does (pkg/proxy/conntrack) and this package too: flows to a
// frontend go on while their endpoint serves, whatever traffic policies, hints and
// termination say of new connections ([ir.Frontend.Lasting]); all others are
// removed, those of a Service without endpoints too. What is more here: SCTP;
// frontends that are gone; nodePorts without endpoints; endpoints that are ready
// and do not serve (publishNotReadyAddresses) keep their flows, since new ones go
// there too; and nodePorts count only where the destination is an address that
// serves them, so that a pod's query of some server's port 30053 is left alone.
//
// A process that starts sees in the table what is left of Services that went
// meanwhile where their ClusterIPs are in a known service range: flows to such an
// address that were given an endpoint, and that no frontend is about. A load
// balancer's address or a nodePort that went meanwhile is nothing that could be
// told from the work of others.
//
// Rules have to be in the kernel before flows are removed, or the next packet
// brings the old answer back.
package conntrack
