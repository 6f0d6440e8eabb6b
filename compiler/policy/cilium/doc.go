// Package cilium compiles Cilium's policies: CiliumNetworkPolicy and
// CiliumClusterwideNetworkPolicy of cilium.io/v2, with groups of CIDRs.
//
// To Cilium every end of a connection is an identity with labels: pods have those of
// Kubernetes, nodes and the world reserved ones. A selector of a rule is evaluated for all
// of them, and becomes up to two sets of addresses: one inside of the cluster, pods and
// nodes, and one outside, networks without these. All policies are one tier, in which
// denies come first, then what a proxy is to decide, then what is allowed.
//
// Semantics: the agent of Cilium v1.20.2; docs/policies/cilium.md has what is meant to
// differ. Paths in comments are of that repository.
package cilium
