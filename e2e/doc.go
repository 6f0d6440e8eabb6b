// Package e2e holds planec against the real thing: etcd, kube-apiserver and
// kube-proxy, built from their own modules and run in the network namespace of
// a node of testkit's. It is a module of its own, so that what those need does
// not become a dependency of planec.
//
//	programs   builds the programs, once for each set of versions
//	process    runs them in a namespace: killed, stopped, measured
//	cluster    etcd and the API server, clients, accounts, faults
//	kubeproxy  the real kube-proxy in the modes that this kernel has
//	agent      planec-agent itself
//	traffic    connections at full speed, every failure counted
//	flaky      a bad network between the agent and the API server
//	flows      the flows that are kept, by kube-proxy's own function
//	nftwatch   when the kernel committed what, by its own notices
//
// The node runs it all: etcd, the API server, kube-proxy and the agent share its
// loopback, as on a control plane node. Every agent has the rights of deploy/ and
// no others. Nothing leaves the test's namespaces.
package e2e
