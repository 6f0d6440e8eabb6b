// Package nodeconfig reads the node settings that the cluster's objects do
// not contain: planec's own NodeConfig, an existing configuration of
// kube-proxy (kubeproxy.config.k8s.io/v1alpha1, also in the ConfigMap that
// kubeadm writes), and an existing configuration of ip-masq-agent. It also
// parses the values of command line flags with the same rules.
//
// A wrong, unknown or contradictory setting is an error with file, line and
// field: half a configuration is worse than none. Settings of kube-proxy that
// are known but have no effect in planec are reported in one note.
//
// # Egress masquerade
//
// ip-masq-agent always masquerades IPv4, and IPv6 only with its flag
// --enable-ipv6, which is in no file. planec masquerades IPv6 on request
// (enableIPv6 in a NodeConfig), or if the file lists an IPv6 range: an agent
// without the flag rejects such a file, so its agent must have had the flag.
//
// # Limits
//
// Files of up to 1 MiB, the limit of a ConfigMap.
package nodeconfig
