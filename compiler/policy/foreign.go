package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/calico"
	"github.com/planec/planec/compiler/policy/cilium"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// foreign are the policies of other dialects than Kubernetes'.
type foreign struct {
	cluster *clause.Cluster
	// pods and nodes find the objects of the cluster.
	pods map[*pod]*clause.Pod
	// policies are in no particular order; tiers are those that they name.
	policies []*clause.Policy
	tiers    []clause.Tier
	// labelled finds the policies that may select a pod by one of its labels;
	// others require none.
	labelled map[label][]int
	others   []int
	// peers caches resolved peers by their ID, those of one node with its name.
	peers *sync.Map
}

// dialect reads the policies of one dialect.
type dialect func(*clause.Cluster, *diag.List) ([]clause.Tier, []*clause.Policy)

// dialects lists the front ends.
func dialects() []dialect { return []dialect{calico.Read, cilium.Read} }

// readForeign compiles the policies of the dialects.
func (m *Model) readForeign(set *objects.Set, settings clause.Settings, diags *diag.List) {
	f := &foreign{cluster: m.cast.cluster(set, settings), labelled: make(map[label][]int), peers: &sync.Map{}}
	f.pods = make(map[*pod]*clause.Pod, len(m.cast.pods))
	for i, p := range m.cast.pods {
		f.pods[p] = f.cluster.Pods[i]
	}
	for _, read := range dialects() {
		tiers, policies := read(f.cluster, diags)
		f.tiers, f.policies = append(f.tiers, tiers...), append(f.policies, policies...)
	}
	for i, p := range f.policies {
		switch s := p.Subject; {
		case s == nil || !p.Ingress.Affects() && !p.Egress.Affects():
		case len(s.Labels) > 0:
			key := label{s.Labels[0].Key, s.Labels[0].Value}
			f.labelled[key] = append(f.labelled[key], i)
		default:
			f.others = append(f.others, i)
		}
	}
	m.foreign = f
}

// cluster returns the cast as the front ends see it; its pods are in the cast's order.
func (c *cast) cluster(set *objects.Set, settings clause.Settings) *clause.Cluster {
	out := &clause.Cluster{Objects: set, Settings: settings}
	byName := make(map[*namespace]*clause.Namespace, len(c.namespaces))
	for _, n := range c.namespaces {
		byName[n] = &clause.Namespace{Name: n.name, Labels: n.labels}
		out.Namespaces = append(out.Namespaces, byName[n])
	}
	for _, p := range c.pods {
		n := byName[p.namespace]
		view := &clause.Pod{Namespace: n, Name: p.name, Labels: p.labels, Node: p.node, Addresses: p.addresses, Object: p.object}
		n.Pods, out.Pods = append(n.Pods, view), append(out.Pods, view)
	}
	for _, n := range c.nodes {
		out.Nodes = append(out.Nodes, &clause.Node{Name: n.name, Labels: n.labels, Addresses: n.addresses, Object: n.object})
	}
	return out
}

// selecting returns the policies that apply to a pod.
func (f *foreign) selecting(p *pod) []*clause.Policy {
	if f == nil || len(f.policies) == 0 {
		return nil
	}
	may := slices.Clone(f.others)
	for key, value := range p.labels {
		may = append(may, f.labelled[label{key, value}]...)
	}
	slices.Sort(may)
	var out []*clause.Policy
	view := f.pods[p]
	for _, i := range may {
		if s := f.policies[i].Subject; (s.Namespace == "" || s.Namespace == p.namespace.name) && s.Matches(view) {
			out = append(out, f.policies[i])
		}
	}
	return out
}

// onNode returns the policies that apply to a node itself.
func (f *foreign) onNode(name string) []*clause.Policy {
	if f == nil {
		return nil
	}
	at := slices.IndexFunc(f.cluster.Nodes, func(n *clause.Node) bool { return n.Name == name })
	if at < 0 {
		return nil
	}
	var out []*clause.Policy
	for _, p := range f.policies {
		if p.Node != nil && (p.Ingress.Affects() || p.Egress.Affects()) && p.Node(f.cluster.Nodes[at]) {
			out = append(out, p)
		}
	}
	return out
}

func foreignKey(p *clause.Policy) string {
	return p.Kind + "/" + p.Origin.Namespace + "/" + p.Origin.Name
}

// foreignText is the part of a group's key that the policies of other dialects make.
func (f *foreign) text(policies []*clause.Policy, p *pod) string {
	var b strings.Builder
	for _, q := range policies {
		b.WriteString(foreignKey(q))
		for _, d := range ir.Directions() {
			for i := range q.Side(d).Rules {
				if r := &q.Side(d).Rules[i]; r.For != nil {
					_, text := r.For(f.pods[p])
					fmt.Fprintf(&b, " %v%d:%s", d, i, text)
				}
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// peer returns the resolved peer for a node.
func (f *foreign) peer(p *clause.Peer, c *cast, node string) *peer {
	id := p.ID
	if p.PerNode {
		id += " on " + node
	}
	have, known := f.peers.Load(id)
	if !known {
		have, _ = f.peers.LoadOrStore(id, &peer{id: id, foreign: p, node: node})
	}
	out := have.(*peer)
	out.resolve(c)
	return out
}

// resolveForeign makes the address set of a peer of another dialect.
func (p *peer) resolveForeign(c *cast) {
	from := p.foreign.Resolve(p.node)
	for _, pod := range from.Pods {
		for _, a := range pod.Addresses {
			p.set.Addresses = append(p.set.Addresses, a)
			p.names = append(p.names, named{ir.Peer{Address: a, Namespace: pod.Namespace.Name, Name: pod.Name}, c.indexOf[a]})
		}
	}
	for _, n := range from.Nodes {
		for _, a := range n.Addresses {
			p.set.Addresses = append(p.set.Addresses, a)
			p.names = append(p.names, named{ir.Peer{Address: a, Name: n.Name}, c.indexOf[a]})
		}
	}
	p.set.Addresses = append(p.set.Addresses, from.Addresses...)
	slices.SortFunc(p.set.Addresses, netip.Addr.Compare)
	p.set.Addresses = slices.Compact(p.set.Addresses)
	p.set.Prefixes, p.set.OwnNode = ir.DisjointPrefixes(from.Networks), from.OwnNode
	for _, e := range ir.DisjointPrefixes(from.Except) {
		if slices.ContainsFunc(p.set.Prefixes, func(n netip.Prefix) bool { return n.Bits() < e.Bits() && n.Contains(e.Addr()) }) {
			p.set.Except = append(p.set.Except, e)
		}
	}
	p.set.Domains = slices.Compact(slices.Sorted(slices.Values(from.Domains)))
}

// clausesOf are the rules of one policy for a pod, or for the node.
func (f *foreign) clausesOf(p *clause.Policy, d ir.Direction, subject *pod) []clause.Rule {
	var out []clause.Rule
	for _, r := range p.Side(d).Rules {
		if r.For == nil || subject == nil {
			out = append(out, r)
			continue
		}
		rules, _ := r.For(f.pods[subject])
		out = append(out, rules...)
	}
	return out
}

// lower makes a rule of the program.
func (f *foreign) lower(r *clause.Rule, c *cast, node string) lowered {
	l := lowered{rule: ir.Rule{
		Action: r.Action, Name: r.Name, AnyPeer: r.AnyPeer, AnyPort: r.AnyPort, OwnNode: r.OwnNode,
		Prefix: r.Prefix, Payload: r.Payload, Origin: r.Origin,
		NotPorts: distinctRanges(slices.Clone(r.NotPorts)), SourcePorts: distinctRanges(slices.Clone(r.SourcePorts)),
	}}
	if !r.AnyPort {
		l.rule.Ports = distinctRanges(slices.Clone(r.Ports))
	}
	if !r.AnyPeer {
		for _, p := range r.Peers {
			resolved := f.peer(p, c, node)
			l.add(&resolved.set, resolved.names)
		}
	}
	peers := l.rule.Peers
	l.rule.Peers, l.have = nil, nil
	for _, p := range r.NotPeers {
		resolved := f.peer(p, c, node)
		l.add(&resolved.set, resolved.names)
	}
	l.rule.Peers, l.rule.NotPeers = peers, l.rule.Peers
	return l
}

// placed is a rule with its place in a tier.
type placed struct {
	rank  int
	order float64
	tie   string
	lowered
	// auth, proxy and group are those of [clause.Rule]; ranges are its ports as they
	// are written, not joined.
	auth   clause.Auth
	proxy  uint8
	group  bool
	ranges []ir.PortRange
}

func (p placed) compare(q placed) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(p.order, q.order), cmp.Compare(p.tie, q.tie))
}

// tierOrder returns the tiers of the cluster in their order.
func (m *Model) tierOrder() []clause.TierName {
	type place struct {
		clause.TierName
		order float64
	}
	list := []place{
		{clause.TierName{Kind: ir.AdminTier}, clause.AdminOrder},
		{clause.TierName{Kind: ir.NetworkTier}, clause.NetworkOrder},
		{clause.TierName{Kind: ir.BaselineTier}, clause.BaselineOrder},
	}
	if m.foreign != nil {
		for _, t := range m.foreign.tiers {
			list = append(list, place{clause.TierName{Kind: ir.NamedTier, Name: t.Name}, t.Order})
		}
	}
	slices.SortStableFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Name, b.Name))
	})
	out := make([]clause.TierName, len(list))
	for i, p := range list {
		out[i] = p.TierName
	}
	return out
}
