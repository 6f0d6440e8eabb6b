package nodeconfig

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Setting is one field of a NodeConfig: what it is called in each place, and what it means.
// The schema, the reference, the usage of flags and [Text] follow from it.
type Setting struct {
	Name string // the field of a NodeConfig: "clusterCIDR"
	Flag string // the flag without dashes; "" if there is none
	Type string // string, boolean, integer, list or object
	// Doc is the meaning in one sentence without a full stop, as the flag's usage.
	Doc string
	// Default is what holds if nothing is given, in words.
	Default string
	// Words are the words that are accepted; nil is any text. Pattern is a regular expression
	// for a text, or "".
	Words   []string
	Pattern string
	// Range is the smallest and the largest value of an integer.
	Range [2]int
	// Proxy are the fields of a KubeProxyConfiguration that say it, the first that is set
	// counts.
	Proxy []string
	// Value returns what a NodeConfig has, as a string, bool, int, []string or []Part; nil is
	// the default.
	Value func(*NodeConfig) any
}

// Part is a field of a setting that is an object.
type Part struct {
	Name  string
	Value any // a bool, an int or a []string
}

// Settings returns all fields of a NodeConfig in the order in which they are written.
func Settings() []Setting {
	return slices.Concat(networks(), rules(), podRoutes())
}

// networks are the settings about addresses.
func networks() []Setting {
	return []Setting{
		{
			Name: "node", Flag: "node", Type: "string", Doc: "name of the node", Default: "the only Node of the input; for the agent NODE_NAME, or the host's name",
			Proxy: []string{"hostnameOverride"}, Value: func(c *NodeConfig) any { return some(c.Node) },
		},
		{
			Name: "clusterCIDR", Flag: "cluster-cidr", Type: "list", Doc: "addresses of the cluster's pods, one CIDR of each family with a comma between", Default: "not known",
			Proxy: []string{"clusterCIDR"}, Value: func(c *NodeConfig) any { return texts(c.Config.ClusterCIDRs) },
		},
		{
			Name: "serviceCIDR", Flag: "service-cidr", Type: "list", Doc: "addresses of the cluster's Services, with commas between", Default: "those of ServiceCIDR objects",
			Value: func(c *NodeConfig) any { return texts(c.Config.ServiceCIDRs) },
		},
		{
			Name: "nodePortAddresses", Flag: "nodeport-addresses", Type: "list", Doc: "where nodePorts are served: primary, localhost, all, or CIDRs, in any mixture", Default: "primary",
			Proxy: []string{"nodePortAddresses"}, Value: func(c *NodeConfig) any {
				list := nodePortTexts(c.Config.NodePortAddresses)
				return texts(list)
			},
		},
		{
			Name: "detectLocal", Flag: "detect-local", Type: "string", Doc: "how local pods are recognised: cluster-cidr, node-cidr, bridge:NAME, prefix:NAME or none", Default: "cluster-cidr",
			Pattern: `^(cluster-cidr|node-cidr|none|bridge:.+|prefix:.+)$`,
			Proxy:   []string{"detectLocalMode"}, Value: func(c *NodeConfig) any { return some(detectText(c.Config.DetectLocal)) },
		},
		{
			Name: "cni", Flag: "cni", Type: "string", Doc: "network plugin of the node, which gives defaults to detectLocal, masqAgent and masqueradeBit: a name that planec cni lists, or auto for planec-agent, apply, verify and config view to look at the node", Default: "none",
			Pattern: `^[a-z0-9-]+$`, Value: func(c *NodeConfig) any { return some(c.CNI) },
		},
		{
			Name: "localAddresses", Flag: "local-address", Type: "list", Doc: "further addresses of the node", Default: "none",
			Value: func(c *NodeConfig) any { return texts(c.Config.LocalAddresses) },
		},
		{
			Name: "clusterName", Flag: "cluster-name", Type: "string", Doc: "name of the cluster among several, by which slices of other clusters are told apart from its own", Default: "that of a derived Service's label",
			Pattern: `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`, Value: func(c *NodeConfig) any { return some(c.Config.ClusterName) },
		},
		{
			Name: "serviceImportCIDR", Flag: "service-import-cidr", Type: "list", Doc: "networks whose addresses are served for ServiceImports (multicluster.x-k8s.io), with commas between; others are refused", Default: "none: ServiceImports are not served",
			Value: func(c *NodeConfig) any { return texts(c.Config.ImportCIDRs) },
		},
		{
			Name: "externalIPs", Flag: "external-ips", Type: "list", Doc: "which externalIPs of Services are served: allow (all, the default), deny (none), or CIDRs with commas between", Default: "allow",
			Value: func(c *NodeConfig) any {
				if e := c.Config.ExternalIPs; e.Deny && len(e.Allowed) == 0 {
					return []string{"deny"}
				}
				return texts(c.Config.ExternalIPs.Allowed)
			},
		},
	}
}

// rules are the settings about what rules do.
func rules() []Setting {
	return []Setting{
		{
			Name: "masqueradeAll", Flag: "masquerade-all", Type: "boolean", Doc: "masquerade all traffic to ClusterIPs", Default: "false",
			Proxy: []string{"iptables.masqueradeAll", "nftables.masqueradeAll"}, Value: func(c *NodeConfig) any { return some(c.Config.MasqueradeAll) },
		},
		{
			Name: "masqueradeBit", Flag: "masquerade-bit", Type: "integer", Range: [2]int{0, 31}, Doc: "bit of the packet mark that asks for masquerade, 0 to 31", Default: "14",
			Proxy: []string{"iptables.masqueradeBit", "nftables.masqueradeBit"}, Value: func(c *NodeConfig) any {
				if c.MasqueradeBit == Default().MasqueradeBit {
					return nil
				}
				return c.MasqueradeBit
			},
		},
		{
			Name: "masqAgent", Type: "object", Doc: "egress masquerade, with the fields of ip-masq-agent's configuration and enableIPv6; --masq-config reads a file of its own", Default: "off",
			Value: func(c *NodeConfig) any { return masqueradeParts(&c.Config.Masquerade) },
		},
		{
			Name: "tcpBeLiberal", Type: "boolean", Doc: "keep packets that connection tracking considers invalid", Default: "false",
			Proxy: []string{"conntrack.tcpBeLiberal"}, Value: func(c *NodeConfig) any { return some(c.Config.TCPBeLiberal) },
		},
		{
			Name: "policyDeny", Flag: "policy-deny", Type: "string", Doc: "how policies refuse packets: drop (the default) or reject", Default: "drop", Words: []string{"drop", "reject"},
			Value: func(c *NodeConfig) any {
				if c.Config.OnDeny == 0 || c.Config.OnDeny == ir.Drop {
					return nil
				}
				return c.Config.OnDeny.String()
			},
		},
		{
			Name: "l7", Flag: "l7", Type: "string", Doc: "packets that a policy hands to a proxy (HTTP, TLS names, mutual authentication), which planec does not have: deny (the default) or allow", Default: "deny", Words: []string{"deny", "allow"},
			Value: func(c *NodeConfig) any {
				if c.Config.OnRedirect != ir.Accept {
					return nil
				}
				return "allow"
			},
		},
		{
			Name: "policyTiers", Flag: "policy-tiers", Type: "string", Doc: "NetworkPolicies beside policies of Cilium or Calico: together (the default, in the tier that those engines give them) or separate (in a tier of their own, as without them)", Default: "together", Words: []string{"together", "separate"},
			Value: func(c *NodeConfig) any {
				if !c.Config.SeparatePolicies {
					return nil
				}
				return "separate"
			},
		},
		{
			Name: "domains", Type: "list", Doc: "addresses of DNS names in policies, each \"ADDRESS NAME\"; --fqdn-file reads a file of its own, as hosts(5) or as dig prints answers", Default: "none, and what a policy allows to a name is closed",
			Value: func(c *NodeConfig) any { return domainLines(c.Config.Domains) },
		},
		{
			Name: "failClosed", Flag: "fail-closed", Type: "boolean", Doc: "close the node's IPv4 pod addresses that no known pod has", Default: "false",
			Value: func(c *NodeConfig) any { return some(c.Config.FailClosed) },
		},
		{
			Name: "bgp", Flag: "bgp", Type: "string", Doc: "how addresses of Services are announced by BGP: frr (a frr.conf beside the rules) or none (the default)", Default: "none", Words: []string{"frr", "none"},
			Value: func(c *NodeConfig) any { return some(c.BGP) },
		},
		{
			Name: "bgpPasswords", Flag: "bgp-passwords", Type: "boolean", Doc: "write passwords of BGP neighbors into frr.conf, in clear", Default: "false",
			Value: func(c *NodeConfig) any { return some(c.BGPPasswords) },
		},
		{
			Name: "ipvsScheduler", Flag: "ipvs-scheduler", Type: "string", Doc: "how IPVS chooses an endpoint: rr, wrr, lc, sh or mh", Default: "rr", Words: ipvs.Schedulers(),
			Proxy: []string{"ipvs.scheduler"}, Value: func(c *NodeConfig) any { return some(c.Scheduler) },
		},
		{
			Name: "untrackedPods", Flag: "untracked-pods", Type: "boolean", Doc: "ebpf: do not track connections between pods where no rule needs it; every pod's sockets must be in the cgroup", Default: "false",
			Value: func(c *NodeConfig) any { return some(c.UntrackedPods) },
		},
		{
			Name: "policiesAtInterfaces", Flag: "policies-at-interfaces", Type: "boolean", Doc: "ebpf: enforce policies at the interfaces of pods too, and do not track connections between these", Default: "false",
			Value: func(c *NodeConfig) any { return some(c.PoliciesAtInterfaces) },
		},
		{
			Name: "directPods", Flag: "direct-pods", Type: "boolean", Doc: "ebpf: hand packets between pods of this node from interface to interface, past the node's network stack and all rules in it; has policies at interfaces", Default: "false",
			Value: func(c *NodeConfig) any { return some(c.DirectPods) },
		},
	}
}

// Usages are the usages of the flags of settings, by flag.
func Usages() map[string]string {
	usages := make(map[string]string)
	for _, s := range Settings() {
		usages[s.Flag] = s.Doc
	}
	return usages
}

// some returns a value, or nil for the zero value.
func some[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// texts returns a list as it is written, or nil for an empty one.
func texts[T fmt.Stringer](list []T) any {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, x := range list {
		out = append(out, x.String())
	}
	return out
}

// word is a text in a list.
type word string

// String returns the word.
func (w word) String() string { return string(w) }

// nodePortTexts are the keyword and the CIDRs; keywords for CIDRs are written as these.
func nodePortTexts(n objects.NodePortAddresses) (out []word) {
	if n.Primary {
		out = append(out, "primary")
	}
	for _, p := range n.CIDRs {
		out = append(out, word(p.String()))
	}
	return out
}

// detectText is the text that [ParseDetectLocal] reads.
func detectText(d objects.DetectLocal) string {
	if d.Interface != "" {
		return string(d.Mode) + ":" + d.Interface
	}
	return string(d.Mode)
}

// masqueradeParts say what is excluded, with nothing that ip-masq-agent adds itself.
func masqueradeParts(m *ir.Masquerade) any {
	if len(m.Families) == 0 {
		return nil
	}
	parts := []Part{{"nonMasqueradeCIDRs", stringsOf(m.Exclude)}, {"masqLinkLocal", true}}
	if n := len(m.Exclude); n > defaultCIDRLimit {
		parts = append(parts, Part{"cidrLimit", n})
	}
	if m.Enabled(ir.IPv6) {
		parts = append(parts, Part{"masqLinkLocalIPv6", true}, Part{"enableIPv6", true})
	}
	return parts
}

func stringsOf(list []netip.Prefix) []string {
	out := make([]string, 0, len(list))
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}
