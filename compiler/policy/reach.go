package policy

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/ir"
)

// Reach is everything by which policies distinguish pods, whether or not such
// pods exist: if two pods agree in all of it, every policy treats them alike.
// Each list is sorted and without duplicates.
type Reach struct {
	// Selectors are the selectors of subjects and of peers.
	Selectors []PodSelector
	// Nodes are the selectors of nodes.
	Nodes []NodeSelector
	// Networks are the CIDRs of peers and their exceptions.
	Networks []netip.Prefix
	// Names are the named ports of rules, Ranges the numeric ones.
	Names  []NamedPort
	Ranges []ir.PortRange // the numeric ports of rules
	// Ordered reports that a policy denies or passes, so that the order of rules
	// matters. With NetworkPolicies alone, each further rule only allows more.
	Ordered bool
	// Foreign reports that there are policies of other dialects than Kubernetes'. What
	// these select by is not in Selectors, Nodes and Names: only the pods and nodes of
	// the input can tell what they do.
	Foreign bool
}

// PodSelector selects pods by their namespace and their labels.
type PodSelector struct {
	// Namespace is the namespace of the pods. If it is "", Namespaces selects
	// namespaces by their labels.
	Namespace        string
	Namespaces, Pods labels.Selector // label selectors of namespaces, and of the pods in them
	text             string
}

// NodeSelector selects nodes by their labels.
type NodeSelector struct {
	labels.Selector
	text string
}

// NamedPort is the name of a port with its protocol; 0 is any protocol.
type NamedPort struct {
	Name     string      // as in ports[].name of a container
	Protocol ir.Protocol // TCP, UDP, SCTP, or 0
}

// Reach returns everything by which the policies of the model distinguish pods.
func (m *Model) Reach() Reach {
	selectors, nodes := make(map[string]PodSelector), make(map[string]NodeSelector)
	networks, names, ranges := make(map[netip.Prefix]bool), make(map[NamedPort]bool), make(map[ir.PortRange]bool)
	addSelector := func(s podSelector) {
		selectors[s.text()] = PodSelector{s.own, s.namespaces.Selector, s.pods.Selector, s.text()}
	}
	addPeer := func(p *peer) {
		switch {
		case p.pods != nil:
			addSelector(*p.pods)
		case p.nodes != nil:
			nodes[p.nodes.text] = NodeSelector{p.nodes.Selector, p.nodes.text}
		case p.networks != nil:
			for _, n := range slices.Concat(p.networks.Prefixes, p.networks.Except) {
				networks[n] = true
			}
		}
	}
	var out Reach
	add := func(p *policy) {
		out.Ordered = out.Ordered || p.tier != ir.NetworkTier
		addSelector(p.subject)
		for _, r := range slices.Concat(p.rules[ir.Egress], p.rules[ir.Ingress]) {
			for _, peer := range r.peers {
				addPeer(peer)
			}
			for _, n := range r.ports.named {
				names[NamedPort{n.name, n.protocol}] = true
			}
			for _, x := range r.ports.ranges {
				ranges[x] = true
			}
		}
	}
	for _, list := range m.network {
		for _, p := range list {
			add(p)
		}
	}
	for _, p := range m.cluster {
		add(p)
	}
	m.foreign.reach(&out, networks, ranges)
	out.Selectors = slices.SortedFunc(maps.Values(selectors), func(a, b PodSelector) int { return cmp.Compare(a.text, b.text) })
	out.Nodes = slices.SortedFunc(maps.Values(nodes), NodeSelector.compare)
	out.Networks = slices.SortedFunc(maps.Keys(networks), ir.ComparePrefix)
	out.Names = slices.SortedFunc(maps.Keys(names), NamedPort.compare)
	out.Ranges = distinctRanges(slices.Collect(maps.Keys(ranges)))
	return out
}

func (s NodeSelector) compare(o NodeSelector) int { return cmp.Compare(s.text, o.text) }

func (n NamedPort) compare(o NamedPort) int {
	return cmp.Or(cmp.Compare(n.Name, o.Name), cmp.Compare(n.Protocol, o.Protocol))
}

// Union returns everything by which the policies of either reach distinguish pods.
func (r Reach) Union(o Reach) Reach {
	merge := func(a, b []PodSelector) []PodSelector {
		all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), func(a, b PodSelector) int { return cmp.Compare(a.text, b.text) })
		return slices.CompactFunc(all, func(a, b PodSelector) bool { return a.text == b.text })
	}
	return Reach{
		Selectors: merge(r.Selectors, o.Selectors),
		Nodes: slices.CompactFunc(slices.SortedFunc(slices.Values(slices.Concat(r.Nodes, o.Nodes)), NodeSelector.compare),
			func(a, b NodeSelector) bool { return a.text == b.text }),
		Networks: slices.Compact(slices.SortedFunc(slices.Values(slices.Concat(r.Networks, o.Networks)), ir.ComparePrefix)),
		Names:    slices.Compact(slices.SortedFunc(slices.Values(slices.Concat(r.Names, o.Names)), NamedPort.compare)),
		Ranges:   distinctRanges(slices.Concat(r.Ranges, o.Ranges)),
		Ordered:  r.Ordered || o.Ordered,
		Foreign:  r.Foreign || o.Foreign,
	}
}

// Idle returns the policies that select no pod of the model, sorted by kind and
// name. Their effect depends on pods outside of the input.
func (m *Model) Idle() []ir.Origin {
	var out []ir.Origin
	add := func(p *policy) {
		if len(p.subject.find(m.cast)) == 0 {
			out = append(out, p.origin)
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(m.network)) {
		for _, p := range m.network[namespace] {
			add(p)
		}
	}
	for _, p := range m.cluster {
		add(p)
	}
	return out
}
