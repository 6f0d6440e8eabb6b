// Package random makes clusters and policies out of a seed: what planec takes of
// CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, NetworkPolicy and
// ClusterNetworkPolicy, apart from what docs/policies/cilium.md decides in another way
// than Cilium.
package random
