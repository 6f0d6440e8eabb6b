// Package dns makes the DNS records of a cluster's Services, as the Kubernetes DNS
// specification (kubernetes/dns, docs/specification.md, version 1.1.0) and CoreDNS have
// them: names of ClusterIPs, of headless Services and their endpoints, of ExternalName
// Services, of ports (SRV), and the names of addresses (PTR).
//
// Where the specification leaves something open, CoreDNS 1.15 decides: which endpoints have
// names (all that are ready, those of Services with a ClusterIP too), what an endpoint
// without a hostname is called, and the weights of SRV records. Names of pods
// ("pods insecure") are answers that a server computes of the question, and no records.
package dns
