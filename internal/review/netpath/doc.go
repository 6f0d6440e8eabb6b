// Package netpath follows a connection through the whole cluster: the rules of
// the node that it starts on, load balancing there, and the rules of each node
// that it comes to, until it has arrived or is refused.
//
// One node's program cannot say whether two pods can talk: the egress policies
// of the source are on one node and the ingress policies of the destination on
// another. Each node's answer comes from a [Judge], which is the evaluator or an
// interpreter of what a backend emitted.
package netpath
