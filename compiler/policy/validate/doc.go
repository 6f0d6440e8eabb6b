// Package validate rejects policies that the API server rejects, with the
// paths and messages that kubectl apply shows.
//
// For NetworkPolicy the rules are those of pkg/apis/networking/validation of
// Kubernetes v1.35 to v1.37. For ClusterNetworkPolicy they are the schema and
// the CEL rules of the custom resource definition of network-policy-api v0.3.0,
// experimental channel; for AdminNetworkPolicy and BaselineAdminNetworkPolicy
// those of v0.1.7, the last release that has the definitions.
//
// # Where it differs on purpose
//
// A peer of an admin policy without a known field passes. Later versions of the
// API add kinds of peers, and the API requires such a peer to fail closed,
// which a rejected policy would not do.
//
// Since v1.36 the API server rejects new NetworkPolicies whose CIDRs have leading
// zeros, host bits or an IPv4-mapped address, but keeps existing ones. A dump of a
// cluster must not lose policies, so they pass; [ParseCIDR] defines their meaning.
//
// The definitions do not check everything that the API's documentation
// requires and that every implementation needs: valid selectors, domain names
// only in Accept rules, existing protocols, port ranges that do not end before
// they start. Such policies are rejected here.
//
// Go's types hide some differences: a missing field without a pointer type
// counts as its zero value.
package validate
