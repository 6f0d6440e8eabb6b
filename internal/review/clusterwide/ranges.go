package clusterwide

import (
	"net/netip"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// PodCIDRs returns the ranges of pods that the settings and the nodes state.
func PodCIDRs(set *objects.Set, cluster *compiler.Cluster) []netip.Prefix {
	out := cluster.PodCIDRs()
	for _, n := range set.Nodes {
		for _, text := range n.Object.Spec.PodCIDRs {
			if p, err := netip.ParsePrefix(text); err == nil {
				out = append(out, p.Masked())
			}
		}
	}
	return out
}

// PodRanges returns where pods have their addresses: in the known ranges, else near the
// pods, else in networks for private use.
func PodRanges(pods []netip.Addr, known []netip.Prefix) []netip.Prefix {
	out := known
	if len(out) == 0 {
		for _, a := range pods {
			p, err := a.Prefix(map[bool]int{true: 16, false: 64}[a.Is4()])
			if err == nil {
				out = append(out, p)
			}
		}
	}
	if len(out) == 0 {
		out = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}
	}
	return ir.DisjointPrefixes(out)
}

// Overlap returns the parts of networks that are also in one of the ranges.
func Overlap(networks, ranges []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range networks {
		for _, r := range ranges {
			switch {
			case !n.Overlaps(r):
			case n.Bits() >= r.Bits():
				out = append(out, n)
			default:
				out = append(out, r)
			}
		}
	}
	return out
}
