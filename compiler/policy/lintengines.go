package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/policy/calico"
	"github.com/planec/planec/compiler/policy/cilium"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The engines of Calico and Cilium enforce policies of Kubernetes too, and read some of
// them in another way than their texts, which is how planec reads them. Where objects of
// an engine are there, that engine will read the rest.

// engines looks for what an engine reads in another way.
func (l *linter) engines() {
	if l.foreign == nil {
		return
	}
	set := l.foreign.cluster.Objects
	e := &engineLint{linter: l, calico: set.HasCalico(), cilium: set.HasCilium()}
	order := l.tierOrder()
	e.behindNetwork = order[slices.Index(order, clause.TierName{Kind: ir.NetworkTier})+1:]
	if e.cilium {
		e.reading = cilium.ReadingOf(set)
	}
	l.all(func(p *policy) {
		if e.cilium {
			e.droppedLabels(p)
		}
		for _, d := range ir.Directions() {
			for i := range p.rules[d] {
				if e.cilium {
					e.blocks(p, d, &p.rules[d][i])
				}
				e.ports(p, d, &p.rules[d][i])
			}
		}
		e.shared(p)
	})
	if e.cilium {
		e.baselines()
	}
}

// engineLint looks for differences between engines.
type engineLint struct {
	*linter
	calico, cilium bool // whether there are objects of it
	reading        cilium.Reading
	// behindNetwork are the tiers behind that of NetworkPolicies.
	behindNetwork []clause.TierName
}

// blocks reports networks that mean pods or nodes, and selectors of nodes that Cilium
// does not know.
func (e *engineLint) blocks(p *policy, d ir.Direction, r *rule) {
	for i, peer := range r.peers {
		at := p.peerPath(d, r, i)
		switch {
		case peer.networks != nil:
			if who := e.within(peer.networks); who != "" {
				e.diags.Add(diag.EngineBlock, at, fmt.Sprintf("%v means %s, and to Cilium only what is neither a pod nor a node", peer.networks.Prefixes[0], who))
			}
		case peer.nodes != nil && !e.reading.Nodes:
			e.diags.Add(diag.EngineBlock, at, "Cilium selects no node by its labels without the option enable-node-selector-labels")
		}
	}
}

// within describes the pods and nodes in a block that Cilium takes out of it, or returns
// "". Addresses that were made say nothing of a block, unless it is everything.
func (e *engineLint) within(s *ir.AddressSet) string {
	whole := s.Prefixes[0].Bits() == 0 && len(s.Except) == 0
	found := func(list []netip.Addr) bool {
		return slices.ContainsFunc(list, func(a netip.Addr) bool { return (whole || !e.Made[a]) && s.InNetworks(a) })
	}
	var who []string
	if !e.reading.PodBlocks {
		if at := slices.IndexFunc(e.cast.pods, func(p *pod) bool { return !e.work.spent() && found(p.addresses) }); at >= 0 {
			p := e.cast.pods[at]
			who = append(who, "pods ("+p.namespace.name+"/"+p.name+")")
		}
	}
	if !e.reading.NodeBlocks {
		if at := slices.IndexFunc(e.cast.nodes, func(n *node) bool { return !e.work.spent() && found(n.addresses) }); at >= 0 {
			who = append(who, "nodes ("+e.cast.nodes[at].name+")")
		}
	}
	return strings.Join(who, " and ")
}

// droppedLabels reports selectors by labels that Cilium drops.
func (e *engineLint) droppedLabels(p *policy) {
	at := p.origin.At("spec.podSelector")
	if p.tier != ir.NetworkTier {
		at = p.origin.At("spec.subject")
	}
	e.dropped(&p.subject, at)
	for _, d := range ir.Directions() {
		for i := range p.rules[d] {
			r := &p.rules[d][i]
			for j, peer := range r.peers {
				if peer.pods != nil {
					e.dropped(peer.pods, p.peerPath(d, r, j))
				}
			}
		}
	}
}

func (e *engineLint) dropped(s *podSelector, at ir.Origin) {
	ask := func(sel labels.Selector, counts func(string) bool) {
		if sel == nil {
			return
		}
		requirements, _ := sel.Requirements()
		for _, r := range requirements {
			if counts(r.Key()) {
				continue
			}
			effect := "it selects nothing"
			if set := (labels.Set{}); r.Matches(set) {
				effect = "it excludes nothing"
			}
			e.diags.Add(diag.EngineLabel, at, fmt.Sprintf("Cilium drops the label %s: %s", r.Key(), effect))
		}
	}
	ask(s.pods.Selector, e.reading.PodLabel)
	ask(s.namespaces.Selector, e.reading.NamespaceLabel)
}

// ports reports named ports that mean something else on a pod to an engine.
func (e *engineLint) ports(p *policy, d ir.Direction, r *rule) {
	var among []*pod
	switch {
	case len(r.ports.named) == 0:
		return
	case d == ir.Ingress:
		among = e.podsOf(e.Model.peers.ofPods(p.subject))
	case r.anyPeer:
		among = e.cast.pods
	}
	for _, peer := range r.peers {
		if d == ir.Egress && peer.pods != nil {
			among = append(among, e.podsOf(peer)...)
		}
	}
	for _, n := range r.ports.named {
		for _, pod := range among {
			if e.work.spent() {
				return
			}
			if text := e.portText(pod, n); text != "" {
				e.diags.Add(diag.EnginePort, r.origin, text)
				break
			}
		}
	}
}

func (e *engineLint) podsOf(p *peer) []*pod {
	p.resolve(e.cast)
	return p.found
}

// portText says what a named port of a pod means to an engine, or returns "".
func (e *engineLint) portText(p *pod, n namedPort) string {
	view := e.foreign.pods[p]
	here := portsText(distinctRanges(slices.Clone(n.on(p))))
	for _, engine := range []struct {
		there bool
		name  string
		read  func(*clause.Pod, string, ir.Protocol) []ir.PortRange
	}{{e.calico, "Calico", calico.NamedPort}, {e.cilium, "Cilium", cilium.NamedPort}} {
		if !engine.there {
			continue
		}
		if there := portsText(distinctRanges(engine.read(view, n.name, n.protocol))); there != here {
			none := func(text string) string {
				if text == "" {
					return "nothing"
				}
				return text
			}
			return fmt.Sprintf("port %s of pod %s/%s is %s, and %s to %s", n, p.namespace.name, p.name, none(here), none(there), engine.name)
		}
	}
	return ""
}

// shared reports a NetworkPolicy for pods that policies of another dialect are about too:
// what it says is not all that holds.
func (e *engineLint) shared(p *policy) {
	if p.tier != ir.NetworkTier || p.origin.Kind != "NetworkPolicy" {
		return
	}
	var by []ir.Origin
	verb := ""
	seen := make(map[*clause.Policy]bool)
	for _, pod := range e.podsOf(e.Model.peers.ofPods(p.subject)) {
		for _, q := range e.dialects[pod] {
			if e.work.spent() {
				return
			}
			if seen[q] {
				continue
			}
			seen[q] = true
			effect := e.effect(p, q)
			if effect == "" || slices.ContainsFunc(by, func(o ir.Origin) bool { return o.Object() == q.Origin.Object() }) {
				continue
			}
			if by = append(by, q.Origin); verb == "" {
				verb = effect
			}
		}
	}
	if len(by) == 0 {
		return
	}
	text := fmt.Sprintf("%s %s", by[0].Object(), verb)
	if more := len(by) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more policies say something of its pods", more)
	}
	e.diags.Add(diag.EngineShared, p.origin, text)
}

// effect says what a policy of another dialect does to a NetworkPolicy for the same pods,
// or returns "".
func (e *engineLint) effect(p *policy, q *clause.Policy) string {
	for _, d := range ir.Directions() {
		if !p.isolates[d] {
			continue
		}
		for i := range q.Side(d).Rules {
			r := &q.Side(d).Rules[i]
			before := q.Tier.Kind != ir.NetworkTier || r.Rank < 0 || q.Order < clause.NetworkPolicyOrder
			switch {
			case r.Action == ir.Accept && q.Tier.Kind == ir.NetworkTier:
				return fmt.Sprintf("lets %v through by rules of its own", d)
			case r.Action == ir.Accept && e.precedes(q):
				return fmt.Sprintf("is asked before it, and lets %v through", d)
			case r.Action == ir.Deny && before && e.precedes(q) && (len(p.rules[d]) > 0):
				return fmt.Sprintf("denies %v before it is asked", d)
			}
		}
	}
	return ""
}

// precedes reports whether the tier of a policy is not behind that of NetworkPolicies.
func (e *engineLint) precedes(q *clause.Policy) bool {
	return !slices.Contains(e.behindNetwork, q.Tier)
}

// baselines reports Baseline rules of ClusterNetworkPolicies that accept, for pods that a
// NetworkPolicy isolates: Cilium accepts by them.
func (e *engineLint) baselines() {
	for _, b := range e.cluster {
		if b.tier != ir.BaselineTier || b.origin.Kind != "ClusterNetworkPolicy" {
			continue
		}
		pods := e.podsOf(e.Model.peers.ofPods(b.subject))
		for _, d := range ir.Directions() {
			at := slices.IndexFunc(b.rules[d], func(r rule) bool { return r.action == ir.Accept })
			if at < 0 {
				continue
			}
			if by := e.isolating(pods, d); by != nil {
				e.diags.Add(diag.EngineBaseline, b.rules[d][at].origin, fmt.Sprintf("%s isolates %v of pods that it is about: they stay closed, and with Cilium this rule opens them", by.origin.Object(), d))
			}
		}
	}
}

// isolating returns a NetworkPolicy that isolates one of the pods, or nil.
func (e *engineLint) isolating(pods []*pod, d ir.Direction) *policy {
	for _, pod := range pods {
		for _, p := range e.network[pod.namespace.name] {
			if e.work.spent() {
				return nil
			}
			if p.isolates[d] && p.subject.matches(pod) {
				return p
			}
		}
	}
	return nil
}
