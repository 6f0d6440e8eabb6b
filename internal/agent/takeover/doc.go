// Package takeover removes kube-proxy's rules, of all its modes, from a node's
// kernel after another program serves: the nftables tables, the chains and jumps
// of both variants of iptables, ipsets, and the device and virtual servers of its
// IPVS mode.
//
// It keeps what kube-proxy shares with other programs, like kube-proxy's own
// --cleanup (pkg/proxy/iptables/cleanup.go of Kubernetes): KUBE-FIREWALL,
// kubelet's canary, and any chain to which a foreign rule leads. Connections that
// began under kube-proxy's rules continue.
package takeover
