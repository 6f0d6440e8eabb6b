// Package podnet makes a node's routes to the pods of the other nodes, of Nodes' podCIDRs
// and addresses.
//
// Nodes that contradict each other lose as little as possible: what two of them claim is
// the older one's, and each node keeps its own. Every finding names the Node that lost.
package podnet
