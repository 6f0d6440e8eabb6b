package cilium

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// peers is the other end of a rule: the union of its parts.
type peers struct {
	any       bool // truly everybody, also what no part can tell
	cluster   bool // the entity of that name is a part
	selectors []selector
	networks  []network
	domains   []domain
}

// network is networks without some parts, as one entry of a list has them.
type network struct {
	in, except []netip.Prefix
	text       string // canonical
}

// variant is a part of the peers for one rule.
type variant struct {
	any             bool
	peers, notPeers []*clause.Peer
	group           bool // see [clause.Rule]
}

// grouped returns the parts for a rule about authentication: the entity cluster stands for
// the group of all pods (pkg/policy/aggregate.go), and for others one by one.
func (w *world) grouped(p *peers) []variant {
	if p.any || !p.cluster {
		return w.variants(p)
	}
	rest := *p
	pods := equal(sourceK8s, labelCluster, w.options.clusterName)
	rest.selectors = slices.DeleteFunc(slices.Clone(p.selectors), func(s selector) bool { return s.String() == pods.String() })
	group := &clause.Peer{ID: "cilium pods", Resolve: func(string) clause.Set { return clause.Set{Pods: w.cluster.Pods} }}
	return append([]variant{{peers: []*clause.Peer{group}, group: true}}, w.variants(&rest)...)
}

// everything are the networks of all addresses of a family.
func everything(f ir.Family) netip.Prefix {
	if f == ir.IPv6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// clusterPeer is all pods, also of other clusters, and nodes: what CIDRs do not match.
func (w *world) clusterPeer() *clause.Peer {
	return &clause.Peer{ID: "cilium cluster", Resolve: func(string) clause.Set {
		return clause.Set{Pods: w.cluster.Pods, Nodes: w.cluster.Nodes, OwnNode: true, Addresses: w.allRemote()}
	}}
}

// apiServerPeer is the API servers outside of the cluster.
func (w *world) apiServerPeer() *clause.Peer {
	return &clause.Peer{ID: "cilium kube-apiserver outside", Resolve: func(string) clause.Set {
		return clause.Set{Addresses: w.apiOutside}
	}}
}

// variants returns the parts, each for a rule of its own.
func (w *world) variants(p *peers) []variant {
	if p.any {
		return []variant{{any: true}}
	}
	var out []variant
	if inside := w.inside(p); inside != nil {
		out = append(out, variant{peers: []*clause.Peer{inside}})
	}
	outside := variant{notPeers: []*clause.Peer{w.clusterPeer()}}
	outside.peers = append(outside.peers, w.outside(p.selectors, true)...)
	for i := range p.networks {
		if n := w.networkPeer(&p.networks[i]); n != nil {
			outside.peers = append(outside.peers, n)
		}
	}
	if len(p.domains) > 0 {
		outside.peers = append(outside.peers, domainPeer(p.domains, w.cluster.Settings.Domains))
	}
	if len(outside.peers) > 0 {
		out = append(out, outside)
	}
	if others := w.outside(p.selectors, false); len(others) > 0 {
		out = append(out, variant{peers: others, notPeers: []*clause.Peer{w.clusterPeer(), w.apiServerPeer()}})
	}
	return out
}

// inside returns the pods, nodes and API servers that the parts select, or nil if they
// cannot select any.
func (w *world) inside(p *peers) *clause.Peer {
	var selectors []selector
	texts := []string{"cilium"}
	perNode := false
	for _, s := range p.selectors {
		if noPods(s) && !w.ofNodes(s).some && !w.selectsAPIServer(s) {
			continue
		}
		selectors = append(selectors, s)
		texts = append(texts, "{"+s.String()+"}")
		perNode = perNode || w.ofNodes(s).differs
	}
	var networks []network
	if w.options.cidrNodes || w.options.cidrPods {
		networks = p.networks
	}
	for _, n := range networks {
		texts = append(texts, "{members in "+n.text+"}")
		perNode = perNode || w.options.cidrNodes
	}
	if len(selectors)+len(networks) == 0 {
		return nil
	}
	slices.Sort(texts[1:])
	return &clause.Peer{ID: strings.Join(slices.Compact(texts), " "), PerNode: perNode, Resolve: func(node string) clause.Set {
		var out clause.Set
		for _, s := range selectors {
			w.addSelected(&out, s, func(n *clause.Node) bool { return n.Name == node || !perNode })
		}
		for i := range networks {
			w.addMembers(&out, &networks[i], node)
		}
		return distinctMembers(out)
	}}
}

// nodeView is what a selector makes of the nodes.
type nodeView struct {
	some bool // it selects some node, as its own or another one
	// differs says that it selects other nodes on one node than on another: then the
	// set of its addresses is a node's own.
	differs bool
}

// ofNodes returns what a selector makes of the nodes.
func (w *world) ofNodes(s selector) nodeView {
	if onlyPods(s) || len(w.cluster.Nodes) == 0 {
		return nodeView{}
	}
	text := s.String()
	if have, known := w.nodeViews.Load(text); known {
		return have.(nodeView)
	}
	first := s.matches(nodeLabels{w, w.cluster.Nodes[0], true, w.isAPIServer(w.cluster.Nodes[0])})
	out := nodeView{some: first}
	for _, n := range w.cluster.Nodes {
		own, other := s.matches(nodeLabels{w, n, true, w.isAPIServer(n)}), s.matches(nodeLabels{w, n, false, false})
		api := other
		if w.isAPIServer(n) {
			api = s.matches(nodeLabels{w, n, false, true})
		}
		out.some = out.some || own || other || api
		out.differs = out.differs || own != first || other != first || api != first
	}
	w.nodeViews.Store(text, out)
	return out
}

func (w *world) selectsAPIServer(s selector) bool {
	return slices.ContainsFunc(w.apiOutside, func(a netip.Addr) bool {
		return s.matches(outsideLabels{w, ir.FamilyOf(a), true})
	})
}

// addSelected adds what a selector selects, as a node sees it. A set that is the same for
// all nodes is made for each of them at once.
func (w *world) addSelected(to *clause.Set, s selector, isOwn func(*clause.Node) bool) {
	to.Pods = append(to.Pods, w.pods(s)...)
	to.Addresses = append(to.Addresses, w.remoteOf(s)...)
	if !onlyPods(s) {
		for _, n := range w.cluster.Nodes {
			w.addNode(to, s, n, isOwn(n))
		}
	}
	for _, a := range w.apiOutside {
		if s.matches(outsideLabels{w, ir.FamilyOf(a), true}) {
			to.Addresses = append(to.Addresses, a)
		}
	}
}

// addNode adds a node, or those of its addresses that the selector selects.
func (w *world) addNode(to *clause.Set, s selector, n *clause.Node, own bool) {
	api := w.isAPIServer(n)
	some := s.matches(nodeLabels{w, n, own, api})
	others := some
	if api && !own {
		others = s.matches(nodeLabels{w, n, false, false})
	}
	switch {
	case some && others:
		to.Nodes = append(to.Nodes, n)
		to.OwnNode = to.OwnNode || own
	case some:
		to.Addresses = append(to.Addresses, w.apiNodes[n]...)
	case others:
		for _, a := range n.Addresses {
			if !slices.Contains(w.apiNodes[n], a) {
				to.Addresses = append(to.Addresses, a)
			}
		}
	}
}

// isAPIServer reports whether one of the node's addresses is an API server's.
func (w *world) isAPIServer(n *clause.Node) bool { return len(w.apiNodes[n]) > 0 }

// distinctMembers removes what several parts have added.
func distinctMembers(s clause.Set) clause.Set {
	s.Pods, s.Nodes = distinct(s.Pods), distinct(s.Nodes)
	return s
}

// distinct removes repeated items, and keeps the order.
func distinct[T comparable](in []T) []T {
	seen := make(map[T]bool, len(in))
	return slices.DeleteFunc(in, func(x T) bool {
		before := seen[x]
		seen[x] = true
		return before
	})
}

// outside returns the world as far as selectors select it. With the API servers outside
// of the cluster, if there are any, or without them: a selector may tell the two apart.
func (w *world) outside(selectors []selector, apiServers bool) []*clause.Peer {
	var nets []netip.Prefix
	for _, f := range w.families() {
		for _, s := range selectors {
			if onlyPods(s) || !s.matches(outsideLabels{w, f, false}) {
				continue
			}
			whole := len(w.apiOutside) == 0 || s.matches(outsideLabels{w, f, true})
			if whole == apiServers {
				nets = append(nets, everything(f))
			}
		}
	}
	if len(nets) == 0 {
		return nil
	}
	nets = distinct(nets)
	words := make([]string, len(nets))
	for i, n := range nets {
		words[i] = n.String()
	}
	return []*clause.Peer{{ID: "cilium net " + strings.Join(words, ","), Resolve: func(string) clause.Set { return clause.Set{Networks: nets} }}}
}
