// Package eval is the specification that runs: it says what must happen to the
// first packet of a connection on a node, and why.
//
// It reads the program as it stands, in the order in which a packet meets it:
//
//	source ranges ─▶ frontend ─▶ route ─▶ pool ─▶ endpoints ─▶ masquerade
//	                    └─ none: ClusterIP? service range? ─▶ pass
//
// Backends are right when they do what Eval says. When a kernel disagrees, the
// behaviour of Kubernetes decides which of the two is mended.
package eval
