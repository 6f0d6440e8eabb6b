package compiler

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// facts are the facts of one node.
type facts struct {
	node ir.Node
	zone string
}

// nodeFacts combines the Node object and the settings.
func (c *Cluster) nodeFacts(name string, diags *diag.List) facts {
	obj := c.findNode(name, diags)
	own := nodeIPs(obj, diags)
	addresses := append(slices.Clone(own), c.config.LocalAddresses...)
	n := ir.Node{
		Name:        name,
		Addresses:   sortedAddrs(addresses),
		DropInvalid: !c.config.TCPBeLiberal,
	}
	n.NodePorts = c.nodePortScope(own, objects.Origin("Node", obj), diags)
	n.Local = c.localDetector(obj, diags)
	n.ServiceCIDRs = c.ServiceCIDRs()
	return facts{node: n, zone: obj.Object.Labels[corev1.LabelTopologyZone]}
}

// findNode returns an empty Node if there is no object: a program without
// nodePort addresses and topology is still useful.
func (c *Cluster) findNode(name string, diags *diag.List) objects.Sourced[*corev1.Node] {
	if obj, ok := c.nodes[name]; ok {
		return obj
	}
	none := objects.Sourced[*corev1.Node]{Object: &corev1.Node{}}
	none.Object.Name = name
	if len(c.nodes) == 0 {
		diags.Add(diag.NoNodes, objects.Origin("Node", none), "no Node objects at all")
	} else {
		diags.Add(diag.UnknownNode, objects.Origin("Node", none), fmt.Sprintf("none of the %d nodes has this name", len(c.nodes)))
	}
	return none
}

func indexNodes(in []objects.Sourced[*corev1.Node], diags *diag.List) map[string]objects.Sourced[*corev1.Node] {
	out := make(map[string]objects.Sourced[*corev1.Node], len(in))
	for _, n := range objects.Unique("Node", in, diags) {
		out[n.Object.Name] = n
	}
	return out
}

// nodeIPs returns a node's own addresses according to its object.
func nodeIPs(obj objects.Sourced[*corev1.Node], diags *diag.List) []netip.Addr {
	return objects.NodeIPs(obj.Object, func(i int) {
		at := objects.Origin("Node", obj).At(fmt.Sprintf("status.addresses[%d].address", i))
		diags.Add(diag.BadNodeIP, at, fmt.Sprintf("%.80q is no address of a node", obj.Object.Status.Addresses[i].Address))
	})
}

func sortedAddrs(addrs []netip.Addr) []netip.Addr {
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

// nodePortScope resolves nodePortAddresses (pkg/proxy/util/nodeport_addresses.go).
// The rules never serve loopback addresses: only kube-proxy's iptables mode ever did,
// and it needs route_localnet, which exposes the node's own services. For loopback
// ranges in the settings, the agent forwards TCP (internal/agent/localport).
func (c *Cluster) nodePortScope(own []netip.Addr, node ir.Origin, diags *diag.List) ir.NodePortScope {
	cfg := c.config.NodePortAddresses
	var scope ir.NodePortScope
	if cfg.Primary || len(cfg.CIDRs) == 0 {
		primary := own
		if len(primary) == 0 {
			primary = c.config.LocalAddresses
		}
		for _, a := range primary {
			if !a.IsLoopback() {
				scope.Addresses = append(scope.Addresses, a)
			}
		}
		scope.Addresses = sortedAddrs(scope.Addresses)
		if len(scope.Addresses) == 0 {
			diags.Add(diag.NodeWithoutIP, node.At("status.addresses"), "no InternalIP or ExternalIP")
		}
	}
	if len(cfg.CIDRs) > 0 {
		scope.Prefixes = c.nodePortPrefixes(node, diags)
	}
	return scope
}

func (c *Cluster) nodePortPrefixes(node ir.Origin, diags *diag.List) []netip.Prefix {
	cfg := c.config.NodePortAddresses
	var out []netip.Prefix
	for _, f := range ir.Families() {
		family := ir.PrefixesOf(f, cfg.CIDRs)
		if len(family) == 0 && !cfg.Primary {
			family = []netip.Prefix{everything(f)}
		}
		for _, p := range family {
			if p.Addr().IsLoopback() {
				diags.Add(diag.LoopbackNodePort, ir.Origin{}, fmt.Sprintf("nodePortAddresses %v", p))
				continue
			}
			out = append(out, p)
		}
	}
	return ir.DisjointPrefixes(out)
}

func everything(f ir.Family) netip.Prefix {
	if f == ir.IPv4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// localDetector resolves detectLocalMode (cmd/kube-proxy/app/server_linux.go,
// getLocalDetectors): of several CIDRs, the first of each family counts.
func (c *Cluster) localDetector(obj objects.Sourced[*corev1.Node], diags *diag.List) ir.LocalDetector {
	d := c.config.DetectLocal
	switch d.Mode {
	case objects.DetectByBridge:
		return ir.LocalDetector{Mode: ir.DetectInterface, Interface: d.Interface}
	case objects.DetectByPrefix:
		return ir.LocalDetector{Mode: ir.DetectInterfacePrefix, Interface: d.Interface}
	case objects.DetectByNone:
		return ir.LocalDetector{Mode: ir.DetectNone}
	case objects.DetectByNodeCIDR:
		return byCIDR(podCIDRs(obj, diags), objects.Origin("Node", obj).At("spec.podCIDRs"), "the node has no podCIDRs", diags)
	}
	return byCIDR(c.config.ClusterCIDRs, ir.Origin{}, "no cluster CIDR is known", diags)
}

func byCIDR(cidrs []netip.Prefix, at ir.Origin, none string, diags *diag.List) ir.LocalDetector {
	var first []netip.Prefix
	for _, f := range ir.Families() {
		if family := ir.PrefixesOf(f, cidrs); len(family) > 0 {
			first = append(first, family[0])
		}
	}
	if len(first) == 0 {
		diags.Add(diag.NoDetector, at, none)
		return ir.LocalDetector{Mode: ir.DetectNone}
	}
	return ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: ir.DisjointPrefixes(first)}
}

func podCIDRs(obj objects.Sourced[*corev1.Node], diags *diag.List) []netip.Prefix {
	values := obj.Object.Spec.PodCIDRs
	if len(values) == 0 && obj.Object.Spec.PodCIDR != "" {
		values = []string{obj.Object.Spec.PodCIDR}
	}
	var out []netip.Prefix
	for i, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil || p.Addr().Is4In6() {
			at := objects.Origin("Node", obj).At(fmt.Sprintf("spec.podCIDRs[%d]", i))
			diags.Add(diag.BadNodeCIDR, at, fmt.Sprintf("%.80q is not a CIDR", v))
			continue
		}
		out = append(out, p)
	}
	return out
}

func readServiceCIDRs(in []objects.Sourced[*networkingv1.ServiceCIDR], diags *diag.List) []netip.Prefix {
	var out []netip.Prefix
	for _, src := range in {
		for i, v := range src.Object.Spec.CIDRs {
			p, err := netip.ParsePrefix(v)
			if err != nil || p.Addr().Is4In6() || p.Bits() == 0 {
				at := objects.Origin("ServiceCIDR", src).At(fmt.Sprintf("spec.cidrs[%d]", i))
				diags.Add(diag.BadServiceCIDR, at, fmt.Sprintf("%.80q is not a CIDR", v))
				continue
			}
			out = append(out, p.Masked())
		}
	}
	return out
}
