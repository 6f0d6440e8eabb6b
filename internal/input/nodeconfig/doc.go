// Package nodeconfig reads what the objects of a cluster cannot say about a
// node: planec's own NodeConfig, an existing configuration of kube-proxy
// (kubeproxy.config.k8s.io/v1alpha1, also inside the ConfigMap that kubeadm
// writes), and an existing configuration of ip-masq-agent. It also parses the
// values of the command line's flags, by the same rules.
//
// A setting that is wrong, unknown or contradictory is an error that names file,
// line and field: a node with half of its configuration is worse than none.
// Settings of kube-proxy that planec knows and has no use for are one note.
//
// # Egress masquerade
//
// ip-masq-agent masquerades IPv4 always, and IPv6 only with its flag
// --enable-ipv6, which no file records. Here IPv6 is masqueraded when the caller
// asks for it (enableIPv6 in a NodeConfig), or when the file lists an IPv6 range:
// an agent without the flag refuses such a file, so it must have had it.
//
// # Limits
//
// Files of up to 1 MiB, which is what a ConfigMap holds.
package nodeconfig
