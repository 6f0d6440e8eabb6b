// Package clause is the form in which the policies of every dialect but
// Kubernetes' reach the lowering: which pods a policy is about, in which tier and
// order, and rules whose peers are sets of pods, nodes and networks.
//
// A front end (compiler/policy/cilium, compiler/policy/calico) makes clauses from
// its objects and the [Cluster]; compiler/policy puts them beside those of
// Kubernetes and lowers them for a node. A front end is a pure function: the same
// objects give the same clauses, in the same order.
package clause
