// Package conntrack removes entries of connection tracking that send packets to an
// endpoint which no longer serves.
//
// The kernel evaluates rules for the first packet of a connection only and then follows
// the entry in its table. So a client that keeps sending UDP from one socket reaches an
// endpoint that is gone for as long as it sends (kubernetes/kubernetes#125467, #139628), or
// none at all if its first packet came before there was one. TCP connections end by
// themselves, because the other side no longer answers.
//
//	programs before and after ─▶ Stale ─▶ filters ─┐
//	                                               ├─▶ Table: one dump, then what matches is deleted
//	program, by option        ─▶ Denied ───────────┘
//
// As in kube-proxy 1.37 (pkg/proxy/conntrack), a flow to a frontend continues while its
// endpoint serves, even where traffic policies, hints or termination keep the endpoint
// from new connections ([ir.Frontend.Lasting]). All other flows are removed, those of a
// Service without endpoints too. Beyond kube-proxy, this package handles SCTP;
// frontends that are gone; nodePorts without endpoints; endpoints that are ready
// and do not serve (publishNotReadyAddresses) keep their flows, since new ones go
// there too; and nodePorts count only where the destination is an address that
// serves them, so that a pod's query of some server's port 30053 is left alone.
//
// When planec starts, Services may have been deleted while it did not run. Their flows
// are recognised in the table if their ClusterIPs are in a known service range: they go to
// an address of the range, were given an endpoint, and belong to no frontend. Flows to a
// load-balancer address or a nodePort that is gone cannot be told from those of other
// programs, so they stay.
//
// Rules have to be in the kernel before flows are removed, or the next packet
// brings the old answer back.
package conntrack
