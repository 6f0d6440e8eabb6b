// Package compiler turns Kubernetes objects into the program of one node.
//
// [Compile] is a pure function: the same objects in any order, on any machine,
// give the same program. It reads no clock, environment or file. Invalid
// objects are reported and left out; the rest compiles.
//
// The passes, in their order:
//
//	service.Analyze   Services + EndpointSlices      once per cluster
//	policy.Analyze    policies, Pods, Namespaces     once per cluster
//	node facts        Node object + settings         once per node
//	service.Lower     frontends, pools, checks       once per node
//	policy.Lower      profiles, address sets         once per node
//	Normalize         the one order of everything    once per node
package compiler
