// Package policy lowers network policies into profiles, tiers and rules.
//
// [Analyze] reads the cluster once: pods, namespaces, nodes, and the policies of
// all kinds, validated as the API server would. [Model.Lower] then adds one
// node's part to a program: which of its pods are subjects, and the rules that
// apply to them with their peers resolved to addresses.
//
// Four kinds become one form. A NetworkPolicy isolates, so its tier denies by
// default; a ClusterNetworkPolicy is a list of rules in the Admin or the
// Baseline tier; AdminNetworkPolicy and BaselineAdminNetworkPolicy, its older
// forms, are converted into it. Named ports are resolved here, on the pod that
// is the destination: for ingress on the subject, which may split a profile, and
// for egress on each peer, which may split a rule.
//
// Semantics: k8s.io/api/networking/v1, sigs.k8s.io/network-policy-api
// (apis/v1beta1), and Kubernetes' pkg/apis/networking for defaults and
// validation.
package policy
