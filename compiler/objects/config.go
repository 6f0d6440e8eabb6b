package objects

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Config holds what the objects cannot say about a node: the settings that
// kube-proxy takes from its flags or its configuration file. The zero value is
// kube-proxy's nftables mode with nothing set; internal/input/nodeconfig reads it
// from files.
type Config struct {
	// ClusterCIDRs are the pods' addresses in the whole cluster (--cluster-cidr).
	// With detection by cluster CIDR the first of each family is used.
	ClusterCIDRs []netip.Prefix
	// ServiceCIDRs are the ranges of ClusterIPs (--service-cidr), added to
	// those of ServiceCIDR objects.
	ServiceCIDRs []netip.Prefix
	// NodePortAddresses says where nodePorts are served.
	NodePortAddresses NodePortAddresses
	// DetectLocal says how packets of local pods are recognised.
	DetectLocal DetectLocal
	// MasqueradeAll masquerades all traffic to ClusterIPs.
	MasqueradeAll bool
	// TCPBeLiberal keeps packets that connection tracking calls invalid
	// (conntrack.tcpBeLiberal).
	TCPBeLiberal bool
	// LocalAddresses are further addresses of the node (--local-address).
	LocalAddresses []netip.Addr
	// Masquerade is the node's egress masquerade; its zero value is off.
	Masquerade ir.Masquerade
	// FailClosed closes the addresses in the node's pod ranges that no known pod
	// has, so that a pod is shut until its policies are in.
	FailClosed bool
	// ExternalIPs says which spec.externalIPs are served.
	ExternalIPs ExternalIPs
	// OnDeny is how policies refuse packets; 0 is ir.Drop.
	OnDeny ir.Refusal
	// Hash is what the IDs of profiles are made with; nil is SHA-256. Tests weaken
	// it.
	Hash identity.Hash `json:"-"`
}

// NodePortAddresses says on which of the node's addresses nodePorts are served.
// The zero value means "primary".
type NodePortAddresses struct {
	// Primary asks for the Node's own addresses (NodeIPs).
	Primary bool
	// CIDRs serve those of the node's addresses that they contain. A family
	// with no CIDR, while Primary is false and the other family has one, is
	// served on all addresses, as kube-proxy does.
	CIDRs []netip.Prefix
}

// ExplicitLoopback reports whether a loopback range of the family is asked for by
// itself, as 127.0.0.0/8 does. A wider range that contains it, such as 0.0.0.0/0, does
// not (pkg/proxy/util/nodeport_addresses.go of Kubernetes 1.37).
func (n *NodePortAddresses) ExplicitLoopback(f ir.Family) bool {
	return slices.ContainsFunc(ir.PrefixesOf(f, n.CIDRs), func(p netip.Prefix) bool { return p.Addr().IsLoopback() })
}

// ExternalIPs says which external IPs of Services are served: the API server lets
// their authors write any address. The zero value serves all, as Kubernetes does.
type ExternalIPs struct {
	// Deny serves none but those in Allowed.
	Deny    bool
	Allowed []netip.Prefix // the networks that are served although Deny is set
}

// Serves reports whether an address is served as an external IP.
func (e *ExternalIPs) Serves(a netip.Addr) bool {
	return !e.Deny || ir.ContainsAddr(e.Allowed, a)
}

// DetectLocal is kube-proxy's detectLocalMode with its setting.
type DetectLocal struct {
	// Mode is one of the DetectBy constants; "" is DetectByClusterCIDR.
	Mode DetectBy
	// Interface is the bridge's name, or the start of the pod interfaces' names.
	Interface string
}

// DetectBy is a way to recognise packets of local pods.
type DetectBy string

// The ways, as --detect-local spells them.
const (
	DetectByClusterCIDR DetectBy = "cluster-cidr"
	DetectByNodeCIDR    DetectBy = "node-cidr"
	DetectByBridge      DetectBy = "bridge"
	DetectByPrefix      DetectBy = "prefix"
	DetectByNone        DetectBy = "none"
)
