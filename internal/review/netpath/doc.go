// Package netpath follows a connection through the whole cluster: load
// balancing and the rules of its first node, and then the rules of each
// further node, until it arrives or is refused.
//
// A single node's program cannot tell whether two pods can connect: the egress
// policies of the source are on one node and the ingress policies of the
// destination on another. Each node's answer comes from a [Judge]: the
// evaluator, or an interpreter of a backend's output.
package netpath
