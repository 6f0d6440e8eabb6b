package podnet

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// node is a Node as far as routes need it.
type node struct {
	name string
	at   ir.Origin
	// ends are the first usable addresses of each family.
	ends  map[ir.Family]netip.Addr
	cidrs map[ir.Family]netip.Prefix
}

// nodes reads the Nodes, the older first, and the own one apart.
func (l *lowering) nodes(in []objects.Sourced[*corev1.Node]) (own *node, others []*node) {
	in = objects.Unique("Node", slices.Clone(in), new(diag.List)) // the compiler says what is given twice
	slices.SortFunc(in, objects.CompareFirst)
	for i, src := range in {
		isOwn := src.Object.Name == l.node
		if i >= maxNodes && !isOwn {
			l.diags.Add(diag.PodRouteLimit, objects.Origin("Node", src), fmt.Sprintf("the input has %d nodes; the %d oldest have routes", len(in), maxNodes))
			break
		}
		n := l.read(src)
		if isOwn {
			own = n
		} else {
			others = append(others, n)
		}
	}
	if own == nil && len(in) > maxNodes { // it is among the youngest
		if i := slices.IndexFunc(in, func(s objects.Sourced[*corev1.Node]) bool { return s.Object.Name == l.node }); i >= 0 {
			own = l.read(in[i])
		}
	}
	return own, others
}

func (l *lowering) read(src objects.Sourced[*corev1.Node]) *node {
	n := &node{
		name: src.Object.Name, at: objects.Origin("Node", src),
		ends: make(map[ir.Family]netip.Addr), cidrs: make(map[ir.Family]netip.Prefix),
	}
	for _, a := range objects.NodeIPs(src.Object, nil) {
		if f := ir.FamilyOf(a); !n.ends[f].IsValid() && usable(a) {
			n.ends[f] = a
		}
	}
	values := src.Object.Spec.PodCIDRs
	if len(values) == 0 && src.Object.Spec.PodCIDR != "" {
		values = []string{src.Object.Spec.PodCIDR}
	}
	for i, v := range values {
		at := n.at.At(fmt.Sprintf("spec.podCIDRs[%d]", i))
		p, err := netip.ParsePrefix(v)
		switch {
		case i >= maxCIDRs:
			l.diags.Add(diag.UnroutableCIDR, at, fmt.Sprintf("a node has at most %d podCIDRs", maxCIDRs))
			return n
		case err != nil || p.Addr().Is4In6():
			l.diags.Add(diag.BadNodeCIDR, at, fmt.Sprintf("%.80q is not a CIDR", v))
		case n.cidrs[ir.FamilyOf(p.Addr())].IsValid():
			l.diags.Add(diag.UnroutableCIDR, at, fmt.Sprintf("%v is a second podCIDR of its family", p))
		default:
			n.cidrs[ir.FamilyOf(p.Addr())] = p.Masked()
		}
	}
	return n
}

// unroutable says why no route may lead to a podCIDR, or "".
func (l *lowering) unroutable(p netip.Prefix) string {
	f, first := ir.FamilyOf(p.Addr()), p.Addr()
	switch {
	case p.Bits() < widest(f):
		return fmt.Sprintf("%v is wider than /%d", p, widest(f))
	case first.IsLoopback() || first.IsMulticast() || first.IsLinkLocalUnicast() || first.IsUnspecified():
		return fmt.Sprintf("%v is no range for pods", p)
	}
	cluster := ir.PrefixesOf(f, l.cluster)
	if len(cluster) > 0 && !slices.ContainsFunc(cluster, func(c netip.Prefix) bool { return c.Bits() <= p.Bits() && c.Contains(first) }) {
		return fmt.Sprintf("%v is outside of the cluster's range %v", p, cluster[0])
	}
	for _, s := range l.services {
		if s.Overlaps(p) {
			return fmt.Sprintf("%v overlaps the range %v of Services", p, s)
		}
	}
	// Where the cluster's range is known to be within the nodes' network, that is meant.
	for _, s := range l.settings.Subnets {
		if len(cluster) == 0 && s.Overlaps(p) {
			return fmt.Sprintf("%v overlaps the subnet %v of nodes, and no cluster CIDR says that pods are there", p, s)
		}
	}
	if a, taken := l.claims.inside[p]; taken {
		return fmt.Sprintf("%v contains the address %v of node %s", p, a, l.claims.addresses[a])
	}
	return ""
}

// usable reports whether packets can be sent to a node at an address.
func usable(a netip.Addr) bool {
	if a.Is4() {
		// 0.0.0.0/8 is this network, and from 240.0.0.0 on nothing is (RFC 1122, RFC 1112).
		first := a.As4()[0]
		return first != 0 && first < 224 && !a.IsLoopback() && !a.IsLinkLocalUnicast()
	}
	return a.IsGlobalUnicast()
}

// edge returns the subnet of which an IPv4 address is the network itself or the broadcast.
func edge(a netip.Addr, subnets []netip.Prefix) (netip.Prefix, bool) {
	for _, s := range subnets {
		if a.Is4() && s.Contains(a) && s.Bits() < 31 && (a == s.Masked().Addr() || a == ir.LastAddr(s)) {
			return s, true
		}
	}
	return netip.Prefix{}, false
}

// widest is the shortest prefix of a podCIDR: no cluster gives one node more.
func widest(f ir.Family) int {
	if f == ir.IPv4 {
		return 8
	}
	return 16
}

// families are those of which the node or its pods have addresses.
func (n *node) families() (out []ir.Family) {
	for _, f := range ir.Families() {
		if n.ends[f].IsValid() || n.cidrs[f].IsValid() {
			out = append(out, f)
		}
	}
	return out
}

// lack says what the node lacks for routes of a family, or "".
func (n *node) lack(f ir.Family) string {
	switch {
	case !n.cidrs[f].IsValid():
		return fmt.Sprintf("the node has no %v podCIDR", f)
	case !n.ends[f].IsValid():
		return fmt.Sprintf("the node has no %v address", f)
	}
	return ""
}

// serviceRanges returns those of the settings and of the ServiceCIDRs.
func serviceRanges(set *objects.Set, given []netip.Prefix) []netip.Prefix {
	out := slices.Clone(given)
	for _, src := range set.ServiceCIDRs {
		for _, v := range src.Object.Spec.CIDRs {
			// The compiler says what is wrong with one.
			if p, err := netip.ParsePrefix(v); err == nil && p.Bits() > 0 {
				out = append(out, p.Masked())
			}
		}
	}
	slices.SortFunc(out, podnet.ComparePrefixes)
	return out[:min(len(out), maxServiceRanges)]
}
