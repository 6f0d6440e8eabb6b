// Package e2e tests planec against real programs: etcd, kube-apiserver and
// kube-proxy, built from their own modules and run in the network namespace of
// a testkit node. It is a separate module, so that their dependencies do not
// become dependencies of planec.
//
//	programs   builds the programs, once for each set of versions
//	process    runs them in a namespace: killed, stopped, measured
//	cluster    etcd and the API server, clients, accounts, faults
//	kubeproxy  the real kube-proxy in the modes that this kernel has
//	agent      planec-agent itself
//	traffic    connections at full speed, every failure counted
//	flaky      a bad network between the agent and the API server
//	flows      which flows stay, according to kube-proxy's own function
//	peers      planec and kube-proxy on the same objects: CPU, memory, connects
//	nftwatch   what the kernel committed, and when, by its notifications
//
// All programs run on the node: etcd, the API server, kube-proxy and the agent
// share its loopback, as on a control plane node. Every agent has exactly the
// rights of deploy/. Nothing leaves the test's namespaces.
package e2e
