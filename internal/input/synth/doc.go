// Package synth makes what a cluster has and a repository of manifests lacks:
// Pods of workloads, Nodes, Namespaces, EndpointSlices, and the addresses and
// ports that an API server allocates to Services.
//
// # Stable
//
// Everything made is a function of the identity of its owner (namespace, name,
// port, number of the replica), not of other objects. An address is one of a
// sequence of places in its range, which a hash of the identity determines. If two
// identities want one place, the one with the earlier attempt gets it, then the
// one that sorts first; the other one takes its next place. So a new object moves
// another only if it wants a place that the other has: with n of m places taken,
// the chance is below n/m. Ranges are as large as Kubernetes allows, so the chance
// is one in two thousand for the 500th Service. nodePorts are few in Kubernetes:
// for the 50th of them it is one in fifty.
//
// Addresses of the input's pools are another matter: which Service has which depends on all
// others, as in a cluster. There they are what [ipam.Allocate] gives.
//
// # Kept
//
// The input is never changed: given addresses are not allocated again, a Service
// with EndpointSlices gets no others, a workload with given Pods gets none, and
// given Nodes are the only ones.
//
// # Labelled
//
// Every made object has the label planec.io/synthetic: "true"; completed Services
// have it with the value "addresses". File and line of a made object are those of
// its owner.
package synth
