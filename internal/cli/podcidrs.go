package cli

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// derivePodRange takes the range of the cluster's pods from the podCIDRs of Nodes where no
// setting names one and every Node says it, and adds a note.
func derivePodRange(set *objects.Set, c *objects.Config, diags *diag.List) {
	around := podRange(set, c)
	c.ClusterCIDRs = append(c.ClusterCIDRs, around...)
	if len(around) > 0 {
		notePodRange(diags, fmt.Sprintf("no cluster CIDR is given: %s, around the podCIDRs of all Nodes, is used", listed(around, " and ")))
	}
}

// namePodRange says what derivePodRange would take where it is not taken: a kernel gets what its
// agent would give it, which takes settings only, and others compile the same manifests.
func namePodRange(set *objects.Set, c *objects.Config, diags *diag.List) {
	if around := podRange(set, c); len(around) > 0 {
		notePodRange(diags, fmt.Sprintf("planec compile takes %s, around the podCIDRs of all Nodes, and a kernel gets settings only: for the same rules give --cluster-cidr %s to both",
			listed(around, " and "), listed(around, ",")))
	}
}

func listed(list []netip.Prefix, between string) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, between)
}

func notePodRange(diags *diag.List, message string) {
	diags.Add(diag.NoDetector, ir.Origin{}, message)
	(*diags)[len(*diags)-1].Note = true
}

// podRange returns the range around the podCIDRs of all Nodes in each family that has one, unless
// a setting says how pods are recognised.
func podRange(set *objects.Set, c *objects.Config) (list []netip.Prefix) {
	byRange := c.DetectLocal.Mode == "" || c.DetectLocal.Mode == objects.DetectByClusterCIDR
	if len(c.ClusterCIDRs) > 0 || !byRange {
		return nil
	}
	for _, f := range ir.Families() {
		if around, ok := aroundPods(f, set.Nodes); ok {
			list = append(list, around)
		}
	}
	return list
}

// The widest ranges that are taken to be a cluster's pods, in bits: 10.0.0.0/8 is the
// largest network for private use, and sites get a /48. Nodes whose podCIDRs are farther
// apart do not tell which addresses between them are pods.
const (
	widestIPv4 = 8
	widestIPv6 = 48
)

// aroundPods returns the smallest range of a family that holds the podCIDRs of all Nodes.
// There is none where a Node has no podCIDR of the family or an unreadable one, or where the
// range is too wide or holds a Node's own address.
func aroundPods(f ir.Family, nodes []objects.Sourced[*corev1.Node]) (around netip.Prefix, ok bool) {
	for _, n := range nodes {
		own, ok := podCIDR(f, n.Object)
		if !ok {
			return netip.Prefix{}, false
		}
		if !around.IsValid() {
			around = own
		}
		around = common(around, own)
	}
	widest := widestIPv4
	if f == ir.IPv6 {
		widest = widestIPv6
	}
	if !around.IsValid() || around.Bits() < widest {
		return netip.Prefix{}, false
	}
	for _, n := range nodes {
		for _, a := range n.Object.Status.Addresses {
			if addr, err := netip.ParseAddr(a.Address); err == nil && around.Contains(addr) {
				return netip.Prefix{}, false
			}
		}
	}
	return around, true
}

// podCIDR returns a Node's first podCIDR of a family, if all of its podCIDRs are readable.
func podCIDR(f ir.Family, n *corev1.Node) (first netip.Prefix, ok bool) {
	values := n.Spec.PodCIDRs
	if len(values) == 0 && n.Spec.PodCIDR != "" {
		values = []string{n.Spec.PodCIDR}
	}
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil || p.Addr().Is4In6() {
			return netip.Prefix{}, false
		}
		if !first.IsValid() && p.Addr().Is4() == (f == ir.IPv4) {
			first = p.Masked()
		}
	}
	return first, first.IsValid()
}

// common returns the smallest prefix that holds two of one family.
func common(a, b netip.Prefix) netip.Prefix {
	for bits := min(a.Bits(), b.Bits()); bits > 0; bits-- {
		if p := netip.PrefixFrom(a.Addr(), bits).Masked(); p.Contains(b.Addr()) {
			return p
		}
	}
	return netip.PrefixFrom(a.Addr(), 0).Masked()
}
