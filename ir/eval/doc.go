// Package eval is the executable specification: it computes what must happen
// to the first packet of a connection on a node, and why.
//
// It evaluates the program in the order in which a packet meets its parts:
//
//	frontend ─▶ source ranges ─▶ route ─▶ pool ─▶ endpoints ─▶ policy ─▶ masquerade
//	   └─ none: ClusterIP? service range? ─▶ pass ─────────────┘
//
// It evaluates policies in their ordered form, tier by tier and rule by rule;
// the resolved tables of the backends are tested against it.
//
// A backend is correct if it does what Eval says. If a kernel disagrees, the
// behaviour of Kubernetes decides which of the two is fixed.
package eval
