// Package cilium links the policy engine of Cilium v1.20.2 as an oracle: it answers what
// Cilium's agent on a node would decide about a connection.
//
// What is the engine's own: parsing and the agent's validation of policies, toServices, labels of pods and their filter, the cache of addresses with
// networks, groups, nodes and the API server, the repository, and the map of each
// endpoint, which is looked up as the programs in the kernel do. What is not: where
// objects come from, the definitions of their kinds, which an API server checks, and the
// numbers of identities.
package cilium
