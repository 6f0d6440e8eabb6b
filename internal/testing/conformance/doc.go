// Package conformance runs planec against external tables of verdicts: the
// generated cases of cyclonus for NetworkPolicy, and the assertions of
// network-policy-api's conformance suite for ClusterNetworkPolicy.
//
// The data is not part of the project. A directory of it has
//
//	networkpolicy/case-NNN/step-N/objects.yaml
//	networkpolicy/case-NNN/step-N/expected.tsv
//	    from, to, protocol, port, ingress, egress, combined
//	clusternetworkpolicy/snap-NNN/objects.yaml
//	clusternetworkpolicy/expected.tsv
//	    snapshot, from, to, address, protocol, port, verdict, test
//
// with pods as namespace/name and verdicts "allowed" or "blocked". Either folder
// may be missing.
package conformance
