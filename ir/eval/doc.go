// Package eval is the specification that runs: it says what must happen to the
// first packet of a connection on a node, and why.
//
// It reads the program as it stands, in the order in which a packet meets it:
//
//	frontend ─▶ source ranges ─▶ route ─▶ pool ─▶ endpoints ─▶ policy ─▶ masquerade
//	   └─ none: ClusterIP? service range? ─▶ pass ─────────────┘
//
// Policies are read in their ordered form, tier by tier and rule by rule; the
// resolved tables that backends use are proved against it.
//
// Backends are right when they do what Eval says. When a kernel disagrees, the
// behaviour of Kubernetes decides which of the two is mended.
package eval
