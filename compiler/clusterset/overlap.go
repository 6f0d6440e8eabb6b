package clusterset

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// held is a network of a cluster's pods.
type held struct {
	prefix  netip.Prefix
	cluster int
	origin  ir.Origin
}

// overlaps reports networks of pods that two clusters have, once for each pair of clusters that
// is found, and at most twice as often as there are clusters: an address then is two pods, and what a policy
// or a Service says of one holds for the other.
func overlaps(clusters []Cluster) diag.List {
	var all []held
	for i := range clusters {
		all = append(all, networks(&clusters[i], i)...)
	}
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(a.cluster, b.cluster))
	})
	var diags diag.List
	seen := make(map[[2]int]bool)
	var around []held // networks that contain the next one, the widest first
	for _, h := range all {
		for len(around) > 0 && !around[len(around)-1].prefix.Overlaps(h.prefix) {
			around = around[:len(around)-1]
		}
		if n := len(around); n > 0 && around[n-1].cluster != h.cluster && len(seen) < 2*len(clusters) {
			a, b := around[n-1], h
			if pair := [2]int{min(a.cluster, b.cluster), max(a.cluster, b.cluster)}; !seen[pair] {
				seen[pair] = true
				diags.Add(diag.ClusterOverlap, b.origin, fmt.Sprintf("pods of %s have %v, and pods of %s have %v", nameOf(clusters[b.cluster]), b.prefix, nameOf(clusters[a.cluster]), a.prefix))
			}
		}
		around = append(around, h)
	}
	return diags
}

func nameOf(c Cluster) string {
	if c.Name == "" {
		return "the own cluster"
	}
	return "cluster " + c.Name
}

// networks are the podCIDRs of a cluster's Nodes, and the addresses of its pods.
func networks(c *Cluster, number int) []held {
	var out []held
	for _, n := range c.Objects.Nodes {
		at := objects.Origin("Node", n)
		for _, text := range append([]string{n.Object.Spec.PodCIDR}, n.Object.Spec.PodCIDRs...) {
			if p, err := netip.ParsePrefix(text); err == nil {
				out = append(out, held{p.Masked(), number, at.At("spec.podCIDRs")})
			}
		}
	}
	for _, p := range c.Objects.Pods {
		if p.Object.Spec.HostNetwork || objects.Finished(p.Object) {
			continue
		}
		for _, ip := range p.Object.Status.PodIPs {
			if a, err := netip.ParseAddr(ip.IP); err == nil && a.Zone() == "" {
				out = append(out, held{netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), number, objects.Origin("Pod", p)})
			}
		}
	}
	return out
}
