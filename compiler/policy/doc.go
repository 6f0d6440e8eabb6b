// Package policy lowers network policies into profiles, tiers and rules.
//
// [Analyze] reads the cluster once: pods, namespaces, nodes, and the policies of
// all kinds, validated as by the API server. [Model.Lower] then adds one node's
// part to a program: the node's selected pods, and the rules for them with peers
// resolved to addresses.
//
// Four kinds are converted to one form. A NetworkPolicy isolates, so its tier
// denies by default. A ClusterNetworkPolicy is a list of rules in the Admin or
// the Baseline tier; AdminNetworkPolicy and BaselineAdminNetworkPolicy, its
// older forms, are converted to it. Named ports are resolved on the destination
// pod: for ingress that is the subject, which may split a profile, and for
// egress each peer, which may split a rule.
//
// Semantics: k8s.io/api/networking/v1, sigs.k8s.io/network-policy-api
// (apis/v1beta1), and Kubernetes' pkg/apis/networking for defaults and
// validation.
package policy
