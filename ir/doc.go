// Package ir is planec's intermediate representation: it states what must
// happen to a packet on one node, and never how a kernel does it.
//
// A [Program] holds the whole dataplane of one node as plain values: frontends
// (addresses that are load balanced), pools (their endpoints), the node's own
// facts and its egress masquerade. Everything that Kubernetes leaves open
// until a node is known (traffic policies, topology hints, terminating
// endpoints) is already resolved. Chains, marks, sets of rules and slots
// belong to the backends and do not occur here.
//
// Values are canonical: [Program.Normalize] sorts every slice, [Verify] states
// every invariant, and the text, JSON and YAML forms of equal programs are
// equal bytes. An identifier depends on the identity of the Kubernetes object,
// never on a position or on content, so that the restart of a pod renames
// nothing.
//
// The package imports the standard library only.
package ir
