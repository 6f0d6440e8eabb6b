package synth

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// The ranges of a made cluster. Pods have an eighth of 10.0.0.0/8 that is no
// common default; Services have kubeadm's default; Nodes and load balancers have
// addresses that are never routed (RFC 5737, RFC 3849, RFC 2544, RFC 5180).
var (
	podRanges     = []netip.Prefix{netip.MustParsePrefix("10.128.0.0/9"), netip.MustParsePrefix("fd00:10:128::/48")}
	serviceRanges = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd00:10:96::/108")}
	nodeRanges    = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")}
	balancers     = []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("2001:2::/64")}
)

// nodeBits determines how many nodes share a range of pods: 16.
const (
	nodeBits     = 4
	maxNodes     = 1 << nodeBits
	defaultNodes = 3
	// maxPooled bounds the addresses of pools that a node passes over.
	maxPooled = 1 << 8
)

// node is a node for pods.
type node struct {
	name      string
	labels    map[string]string
	zone      string
	podCIDRs  []netip.Prefix
	addresses []netip.Addr
}

// makeNodes takes the Nodes of the input. Without any it makes those that given
// Pods name, else as many as requested.
func (m *maker) makeNodes() {
	m.out.PodCIDRs = m.options.PodCIDRs
	if len(m.out.PodCIDRs) == 0 {
		m.out.PodCIDRs = podRanges
	}
	switch names := m.namedNodes(); {
	case len(m.in.Nodes) > 0:
		m.takeNodes()
	case len(names) > 0:
		for _, name := range names {
			m.makeNode(name, "", nil)
		}
	default:
		count := m.options.Nodes
		if count <= 0 {
			count = defaultNodes
		}
		for i := range min(count, maxNodes) {
			m.makeNode(fmt.Sprintf("node-%d", i+1), "zone-"+string(rune('a'+i%defaultNodes)), m.shares(i))
		}
	}
	for _, f := range ir.Families() {
		if len(ir.PrefixesOf(f, m.out.PodCIDRs)) > 0 {
			m.families = append(m.families, f)
		}
	}
}

// takeNodes reads the Nodes of the input, without duplicates.
func (m *maker) takeNodes() {
	var own []netip.Prefix
	for _, src := range m.in.Nodes {
		n := src.Object
		if slices.ContainsFunc(m.nodes, func(have node) bool { return have.name == n.Name }) {
			continue
		}
		taken := node{name: n.Name, labels: n.Labels, zone: n.Labels[corev1.LabelTopologyZone]}
		for _, c := range n.Spec.PodCIDRs {
			if p, err := netip.ParsePrefix(c); err == nil {
				taken.podCIDRs = append(taken.podCIDRs, p)
			}
		}
		taken.addresses = objects.NodeIPs(n, nil)
		own = append(own, taken.podCIDRs...)
		m.nodes = append(m.nodes, taken)
	}
	slices.SortFunc(m.nodes, func(a, b node) int { return cmp.Compare(a.name, b.name) })
	if len(m.options.PodCIDRs) == 0 && len(own) > 0 {
		m.out.PodCIDRs = ir.DisjointPrefixes(own)
	}
}

// namedNodes returns the nodes that Pods of the input name.
func (m *maker) namedNodes() []string {
	var names []string
	for _, p := range m.in.Pods {
		if n := p.Object.Spec.NodeName; n != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shares returns the i-th node's parts of the pods' ranges.
func (m *maker) shares(i int) []netip.Prefix {
	var out []netip.Prefix
	for _, f := range ir.Families() {
		all := ir.PrefixesOf(f, m.out.PodCIDRs)
		if len(all) == 0 {
			continue
		}
		whole := all[0].Masked()
		bits := whole.Bits() + nodeBits
		if room := whole.Addr().BitLen() - bits; room >= 4 {
			at := whole.Addr().AsSlice()
			for b := range nodeBits {
				if i>>(nodeBits-1-b)&1 == 1 {
					place := whole.Bits() + b
					at[place/8] |= 0x80 >> (place % 8)
				}
			}
			a, _ := netip.AddrFromSlice(at)
			whole = netip.PrefixFrom(a, bits)
		}
		out = append(out, whole)
	}
	return out
}

func (m *maker) makeNode(name, zone string, podCIDRs []netip.Prefix) {
	n := node{name: name, zone: zone, podCIDRs: podCIDRs, labels: map[string]string{
		Label: whole, corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
	}}
	if zone != "" {
		n.labels[corev1.LabelTopologyZone] = zone
	}
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: n.labels}}
	for i, r := range nodeRanges {
		if len(ir.PrefixesOf(ir.Families()[i], m.out.PodCIDRs)) == 0 {
			continue
		}
		a := m.unpooled(nth(r.Addr(), 11+uint64(len(m.nodes))), r)
		n.addresses = append(n.addresses, a)
		object.Status.Addresses = append(object.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a.String()})
	}
	for _, p := range podCIDRs {
		object.Spec.PodCIDRs = append(object.Spec.PodCIDRs, p.String())
		object.Spec.PodCIDR = object.Spec.PodCIDRs[0]
	}
	m.nodes = append(m.nodes, n)
	add(&m.out.Set.Nodes, &m.out.Made.Nodes, objects.Sourced[*corev1.Node]{Object: object})
}

// unpooled returns the first address from a in the range that no pool of the input has and no node,
// or a: examples of pools like the ranges of examples, too.
func (m *maker) unpooled(a netip.Addr, r netip.Prefix) netip.Addr {
	if m.pools == nil {
		return a
	}
	for x, n := a, 0; r.Contains(x) && n < maxPooled; x, n = x.Next(), n+1 {
		taken := slices.ContainsFunc(m.nodes, func(n node) bool { return slices.Contains(n.addresses, x) })
		if _, pooled := m.pools.Pool(x); !taken && !pooled {
			return x
		}
	}
	return a
}

// ranked returns the nodes in a workload's order of preference, which other
// nodes that come or go do not change.
func (m *maker) ranked(identity string, selector map[string]string) []node {
	var fit []node
	for _, n := range m.nodes {
		matches := true
		for k, v := range selector {
			matches = matches && n.labels[k] == v
		}
		if matches {
			fit = append(fit, n)
		}
	}
	if len(fit) == 0 {
		// No node has the labels: the nodes are made, or will be labelled later.
		fit = slices.Clone(m.nodes)
	}
	score := make(map[string]uint64, len(fit))
	for _, n := range fit {
		score[n.name] = hash("node", identity, n.name)
	}
	slices.SortFunc(fit, func(a, b node) int {
		return cmp.Or(cmp.Compare(score[a.name], score[b.name]), strings.Compare(a.name, b.name))
	})
	return fit
}
