// Package cluster runs a control plane for a test: one etcd and one API server
// in a namespace, real ones, which can be killed, hung and brought back. It has
// no controllers: tests write EndpointSlices and Node addresses themselves, as
// kube-controller-manager and kubelet would.
package cluster
