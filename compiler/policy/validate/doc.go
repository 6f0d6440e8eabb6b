// Package validate refuses policies that the API server refuses, in its words:
// the errors have the paths and the messages that kubectl apply shows.
//
// For NetworkPolicy the rules are those of pkg/apis/networking/validation of
// Kubernetes v1.35 to v1.37. For ClusterNetworkPolicy they are the schema and
// the CEL rules of the custom resource definition of network-policy-api v0.3.0,
// experimental channel; for AdminNetworkPolicy and BaselineAdminNetworkPolicy
// those of v0.1.7, the last release that has the definitions.
//
// # Where it differs on purpose
//
// A peer of an admin policy without any field that is known passes. Later
// versions of the API add kinds of peers, and the API wants such a peer to fail
// closed, which a refused policy would not.
//
// Since v1.36 the API server refuses new NetworkPolicies whose CIDRs have leading
// zeros, host bits or an IPv4-mapped address, but keeps those it has. A dump of a
// cluster must not lose policies, so they pass; [ParseCIDR] says what they mean.
//
// The definitions do not check what the text of the API demands, and what no
// implementation can do without: selectors that are selectors, domain names in
// Accept rules only, protocols that exist, port ranges that do not end before
// they start. Such policies are refused here.
//
// What Go's types do not show is not seen here: a field that is absent where the
// type has no pointer counts as its zero value.
package validate
