// Package cluster runs a control plane for a test: a real etcd and a real API
// server in a namespace, which tests can kill, hang and restart. It has no
// controllers: tests write EndpointSlices and Node addresses themselves, in
// place of kube-controller-manager and kubelet.
package cluster
