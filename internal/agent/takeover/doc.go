// Package takeover removes what kube-proxy put into a node's kernel, in all of its
// modes, once another program serves: the nftables tables, the chains and jumps of
// both variants of iptables, ipsets, and the device and virtual servers of its
// IPVS mode.
//
// What kube-proxy shares with others stays, as it stays with kube-proxy's own
// --cleanup (pkg/proxy/iptables/cleanup.go of Kubernetes): KUBE-FIREWALL and the
// canary of kubelet, and any chain that a foreign rule leads to.
// Connections are not touched: those that kube-proxy's rules began go on.
package takeover
