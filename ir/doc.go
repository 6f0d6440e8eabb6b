// Package ir is planec's intermediate representation: what must happen to a
// packet on one node, and nothing about how a kernel does it.
//
// A [Program] holds one node's whole dataplane as plain values: frontends
// (addresses that are load balanced), pools (the endpoints they may choose),
// the node's own facts and its egress masquerade. Everything that Kubernetes
// leaves open until a node is known (traffic policies, topology hints,
// terminating endpoints) is already resolved. Chains, marks, sets of rules and
// slots do not occur here; they belong to the backends.
//
// Values are canonical: [Program.Normalize] brings every slice into its one
// order, [Verify] states every invariant, and the text, JSON and YAML forms of
// equal programs are equal bytes. Identifiers are made from the identity of the
// Kubernetes object, never from a position or from content, so that a restart
// of a pod renames nothing.
//
// The package imports the standard library only.
package ir
