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
	// Namespaces are the names by which policies of other dialects than Kubernetes'
	// select namespaces, which they may not know by their labels.
	Namespaces []string
	// OneNumber reports that a named port means one number on a pod, to some policy.
	OneNumber bool
	// Unsaid are noun phrases for what policies of other dialects select by, and what is
	// not in the lists: only the pods and nodes of the input can tell what they do.
	Unsaid []string
}

// PodSelector selects pods by their namespace and their labels. Among those is the
// name of the service account, as [clause.AccountKey].
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

// reacher collects a [Reach].
type reacher struct {
	Reach
	selectors  map[string]PodSelector
	nodes      map[string]NodeSelector
	networks   map[netip.Prefix]bool
	names      map[NamedPort]bool
	ranges     map[ir.PortRange]bool
	namespaces map[string]bool
	unsaid     map[string]bool
}

// Reach returns everything by which the policies of the model distinguish pods.
func (m *Model) Reach() Reach {
	r := &reacher{
		selectors: make(map[string]PodSelector), nodes: make(map[string]NodeSelector), networks: make(map[netip.Prefix]bool),
		names: make(map[NamedPort]bool), ranges: make(map[ir.PortRange]bool), namespaces: make(map[string]bool), unsaid: make(map[string]bool),
	}
	for _, list := range m.network {
		for _, p := range list {
			r.add(p)
		}
	}
	for _, p := range m.cluster {
		r.add(p)
	}
	m.foreign.reach(r)
	out := r.Reach
	out.Selectors = slices.SortedFunc(maps.Values(r.selectors), PodSelector.compare)
	out.Nodes = slices.SortedFunc(maps.Values(r.nodes), NodeSelector.compare)
	out.Networks = slices.SortedFunc(maps.Keys(r.networks), ir.ComparePrefix)
	out.Names = slices.SortedFunc(maps.Keys(r.names), NamedPort.compare)
	out.Ranges = distinctRanges(slices.Collect(maps.Keys(r.ranges)))
	out.Namespaces, out.Unsaid = slices.Sorted(maps.Keys(r.namespaces)), slices.Sorted(maps.Keys(r.unsaid))
	return out
}

// add adds a policy of Kubernetes.
func (r *reacher) add(p *policy) {
	r.Ordered = r.Ordered || p.tier != ir.NetworkTier
	r.addSelector(p.subject)
	for _, rule := range slices.Concat(p.rules[ir.Egress], p.rules[ir.Ingress]) {
		for _, peer := range rule.peers {
			r.addPeer(peer)
		}
		for _, n := range rule.ports.named {
			r.names[NamedPort{n.name, n.protocol}] = true
		}
		for _, x := range rule.ports.ranges {
			r.ranges[x] = true
		}
	}
}

func (r *reacher) addSelector(s podSelector) {
	r.selectors[s.text()] = PodSelector{s.own, s.namespaces.Selector, s.pods.Selector, s.text()}
}

func (r *reacher) addPeer(p *peer) {
	switch {
	case p.pods != nil:
		r.addSelector(*p.pods)
	case p.nodes != nil:
		r.nodes[p.nodes.text] = NodeSelector{p.nodes.Selector, p.nodes.text}
	case p.networks != nil:
		for _, n := range slices.Concat(p.networks.Prefixes, p.networks.Except) {
			r.networks[n] = true
		}
	}
}

func (s PodSelector) compare(o PodSelector) int { return cmp.Compare(s.text, o.text) }

func (s NodeSelector) compare(o NodeSelector) int { return cmp.Compare(s.text, o.text) }

func (n NamedPort) compare(o NamedPort) int {
	return cmp.Or(cmp.Compare(n.Name, o.Name), cmp.Compare(n.Protocol, o.Protocol))
}

// Union returns everything by which the policies of either reach distinguish pods.
func (r Reach) Union(o Reach) Reach {
	merge := func(a, b []PodSelector) []PodSelector {
		all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), PodSelector.compare)
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

		Namespaces: union(r.Namespaces, o.Namespaces), OneNumber: r.OneNumber || o.OneNumber, Unsaid: union(r.Unsaid, o.Unsaid),
	}
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// Idle returns the policies that select no pod of the model, those of each dialect
// sorted by kind and name. Their effect depends on pods outside of the input.
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
	return append(out, m.foreign.idle(m.cast)...)
}
