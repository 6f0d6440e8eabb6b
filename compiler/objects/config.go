package objects

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Config holds the node settings that objects do not contain and that kube-proxy
// takes from its flags or its configuration file. The zero value is kube-proxy's
// nftables mode with all defaults. internal/input/nodeconfig reads it from files.
type Config struct {
	// ClusterCIDRs are the pods' ranges in the whole cluster (--cluster-cidr).
	// Detection by cluster CIDR uses the first of each family.
	ClusterCIDRs []netip.Prefix
	// ServiceCIDRs are the ranges of ClusterIPs (--service-cidr), in addition to
	// those of ServiceCIDR objects.
	ServiceCIDRs []netip.Prefix
	// NodePortAddresses selects the addresses that serve nodePorts.
	NodePortAddresses NodePortAddresses
	// DetectLocal says how packets of local pods are recognised.
	DetectLocal DetectLocal
	// MasqueradeAll masquerades all traffic to ClusterIPs.
	MasqueradeAll bool
	// TCPBeLiberal keeps packets that connection tracking considers invalid
	// (conntrack.tcpBeLiberal).
	TCPBeLiberal bool
	// LocalAddresses are additional addresses of the node (--local-address).
	LocalAddresses []netip.Addr
	// Masquerade is the node's egress masquerade; the zero value is off.
	Masquerade ir.Masquerade
	// FailClosed closes the addresses in the node's pod ranges without a known
	// pod, so that a new pod is isolated until its policies are applied.
	FailClosed bool
	// ClusterName is the cluster's name among several clusters, a DNS label; "" is not known.
	ClusterName string `json:",omitzero"`
	// ImportCIDRs are the networks whose addresses are served for ServiceImports; none by default.
	ImportCIDRs []netip.Prefix `json:",omitzero"`
	// ExternalIPs selects the spec.externalIPs that are served.
	ExternalIPs ExternalIPs
	// OnDeny is how policies refuse packets; 0 is ir.Drop.
	OnDeny ir.Refusal
	// OnRedirect is what happens to packets that a policy hands to a proxy, which
	// planec does not have: ir.Deny, also if it is 0, or ir.Accept.
	OnRedirect ir.Action `json:",omitzero"`
	// Domains are the addresses of the DNS names in policies. A name that is not
	// there has none, and what a policy allows to it is closed.
	Domains map[string][]netip.Addr
	// SeparatePolicies keeps NetworkPolicies in a tier of their own, where policies
	// of Cilium or Calico are present too. Otherwise they take part in the tier
	// that the dialect gives them.
	SeparatePolicies bool
	// Hash makes the IDs of profiles; nil is SHA-256. Tests use weak hashes.
	Hash identity.Hash `json:"-"`
}

// NodePortAddresses selects the node's addresses that serve nodePorts. The zero
// value means "primary".
type NodePortAddresses struct {
	// Primary selects the Node's own addresses (NodeIPs).
	Primary bool
	// CIDRs select the node's addresses in them. If Primary is false and only
	// the other family has a CIDR, a family is served on all addresses, as in
	// kube-proxy.
	CIDRs []netip.Prefix
}

// ExplicitLoopback reports whether the CIDRs contain a loopback range of the family
// itself, such as 127.0.0.0/8. A wider range around it, such as 0.0.0.0/0, does not
// count (pkg/proxy/util/nodeport_addresses.go of Kubernetes 1.37).
func (n *NodePortAddresses) ExplicitLoopback(f ir.Family) bool {
	return slices.ContainsFunc(ir.PrefixesOf(f, n.CIDRs), func(p netip.Prefix) bool { return p.Addr().IsLoopback() })
}

// ExternalIPs selects the external IPs that are served, because the API server
// accepts any address there. The zero value serves all, as Kubernetes does.
type ExternalIPs struct {
	// Deny serves only the addresses in Allowed.
	Deny    bool
	Allowed []netip.Prefix // the networks that are served despite Deny
}

// Serves reports whether the address is served as an external IP.
func (e *ExternalIPs) Serves(a netip.Addr) bool {
	return !e.Deny || ir.ContainsAddr(e.Allowed, a)
}

// DetectLocal is kube-proxy's detectLocalMode with its parameter.
type DetectLocal struct {
	// Mode is one of the DetectBy constants; "" is DetectByClusterCIDR.
	Mode DetectBy
	// Interface is the bridge's name, or the prefix of the pod interfaces' names.
	Interface string
}

// DetectBy is a method to recognise packets of local pods.
type DetectBy string

// The methods, as spelled in --detect-local.
const (
	DetectByClusterCIDR DetectBy = "cluster-cidr"
	DetectByNodeCIDR    DetectBy = "node-cidr"
	DetectByBridge      DetectBy = "bridge"
	DetectByPrefix      DetectBy = "prefix"
	DetectByNone        DetectBy = "none"
)
