// Package calico compiles Calico's policies: NetworkPolicy and GlobalNetworkPolicy of
// projectcalico.org, in tiers, with network sets, service accounts and Services.
//
// Every end that a rule names becomes a set of addresses: a selector chooses pods and
// network sets, and what the rule says besides (nets, a family, an address of a Service)
// cuts it. What a rule says of the pod's own side decides for which pods it is there.
//
// Semantics: the agent of Calico at 87c15906f20c; docs/policies/calico.md has what is
// meant to differ. Paths in comments are of that repository.
package calico
