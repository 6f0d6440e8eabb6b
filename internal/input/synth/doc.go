// Package synth makes what a repository of manifests does not hold and a
// cluster would: Pods of workloads, Nodes, Namespaces, EndpointSlices, and the
// addresses and ports that an API server gives to Services.
//
// # Stable
//
// Everything made is a function of the identity of what it is made for
// (namespace, name, port, number of the replica), not of its place among others.
// An address is one of a sequence of places in its range that a hash of the
// identity names. Two identities that want one place are told apart by who names
// it earlier in its sequence, and then by the identity itself; the other one takes
// its next. So an object that comes moves another only if it names a place that
// the other has: with n places taken in a range of size m, the chance is below
// n/m. Ranges are as large as Kubernetes lets them be, which makes it one in two
// thousand for the 500th Service; nodePorts are few in Kubernetes, and the same
// chance for the 50th of them is one in fifty.
//
// # Kept
//
// What the input has stays as it is: an address that is given is not given again,
// a Service with EndpointSlices gets no others, a workload whose Pods are given
// gets none, and given Nodes are the only ones.
//
// # Labelled
//
// Every object made has the label planec.io/synthetic: "true". Services that were
// completed have it with the value "addresses". File and line of a made object
// are those of the object that it was made for.
package synth
