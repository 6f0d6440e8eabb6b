package policy

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Around is the context of policies for [Model.Lint].
type Around struct {
	// Elsewhere finds objects that may have pods outside of the input.
	Elsewhere *Elsewhere
	// Services are the input's Services as written; Slices are their slices, given
	// or made.
	Services []objects.Sourced[*corev1.Service]
	Slices   []objects.Sourced[*discoveryv1.EndpointSlice] // the endpoints of the Services
	// ServiceCIDRs are the known ranges of ClusterIPs.
	ServiceCIDRs []netip.Prefix
	// Made are the addresses of pods that synth made: whether a block of addresses
	// contains them means nothing.
	Made map[netip.Addr]bool
}

// Lint returns findings about valid, compiled policies that are probably not as
// meant. An unmatched selector is only reported for namespaces with pods: the
// pods of others may be in another repository.
func (m *Model) Lint(around Around) diag.List {
	if m.peers == nil {
		return nil // no policies
	}
	l := m.newLinter(around)
	m.all(func(p *policy) {
		l.subject(p)
		for _, d := range ir.Directions() {
			for i := range p.rules[d] {
				r := &p.rules[d][i]
				l.peers(p, d, r)
				l.namedPorts(p, d, r)
				l.serviceAddresses(p, d, r)
				l.servicePorts(p, d, r)
				l.families(p, d, r)
			}
		}
	})
	for _, n := range m.cast.namespaces {
		l.covered(m.network[n.name])
		l.idle(m.network[n.name])
	}
	l.dns()
	l.unreachable()
	l.ofDialects()
	l.engines()
	if l.left < 0 {
		l.diags.Add(diag.TooManyToCompare, ir.Origin{}, fmt.Sprintf("after %d comparisons of rules, peers and ports no more superfluous ones were looked for", mostComparisons))
	}
	if l.work < 0 {
		l.diags.Add(diag.TooManyToCompare, ir.Origin{}, fmt.Sprintf("after %d looks at pods and namespaces no more selectors, ports and pods without DNS were looked for", mostComparisons))
	}
	l.diags.Sort()
	return l.diags
}

// newLinter builds the indexes.
func (m *Model) newLinter(around Around) *linter {
	l := &linter{
		Model: m, Around: around, left: mostComparisons, work: mostComparisons,
		labelledHosts: make(map[label][]*corev1.Pod), absences: make(map[string]absence), owners: make(map[netip.Addr]*pod),
		dialects: make(map[*pod][]*clause.Policy), finds: make(map[string]bool),
	}
	for _, p := range m.cast.pods {
		if list := m.foreign.selecting(p); len(list) > 0 {
			l.dialects[p] = list
		}
	}
	for _, h := range m.seen.hosts {
		for k, v := range h.Object.Labels {
			l.labelledHosts[label{k, v}] = append(l.labelledHosts[label{k, v}], h.Object)
		}
	}
	for _, p := range m.cast.pods {
		for _, a := range p.addresses {
			l.owners[a] = p
		}
	}
	l.readNames()
	l.readServices()
	return l
}

// linter collects findings about policies.
type linter struct {
	*Model
	Around
	// labelledHosts finds pods on the host's network, which policies treat as their node.
	labelledHosts map[label][]*corev1.Pod
	// owners maps addresses to pods.
	owners map[netip.Addr]*pod
	// absences caches the result for each selector, by its text.
	absences map[string]absence
	// dialects are the policies of other dialects that are about each pod; finds says of
	// their selectors, by text, whether they find something.
	dialects map[*pod][]*clause.Policy
	finds    map[string]bool
	behind   behind
	names    names
	// left bounds the search for superfluous rules, work all other searches: a spent
	// one does not suppress the findings of the other.
	left, work comparisons
	diags      diag.List
}

// namespace returns nil if there is none.
func (m *Model) namespace(name string) *namespace {
	return m.cast.byName[name]
}

// subject reports a policy that selects no pod.
func (l *linter) subject(p *policy) {
	found := l.Model.peers.ofPods(p.subject)
	found.resolve(l.cast)
	if len(found.found) > 0 {
		return
	}
	at := p.origin.At("spec.podSelector")
	if p.tier != ir.NetworkTier {
		at = p.origin.At("spec.subject")
	}
	switch why := l.absent(p.subject); why.kind {
	case noneMatches:
		l.diags.Add(diag.SelectsNothing, at, "it applies to no pod: "+why.text)
	case notGiven:
		l.diags.Add(diag.PodsElsewhere, at, why.text)
	}
}

// peers reports peers of a rule that can never match.
func (l *linter) peers(p *policy, d ir.Direction, r *rule) {
	for i, peer := range r.peers {
		at := p.peerPath(d, r, i)
		peer.resolve(l.cast)
		switch {
		case peer.networks != nil && emptied(peer.networks):
			l.diags.Add(diag.EmptyBlock, at, fmt.Sprintf("nothing of %v is left", peer.networks.Prefixes[0]))
		case peer.pods == nil || len(peer.found) > 0:
		default:
			switch why := l.absent(*peer.pods); why.kind {
			case noneMatches:
				l.diags.Add(diag.PeerNobody, at, why.text)
			case notGiven:
				l.diags.Add(diag.PeerElsewhere, at, why.text)
			}
		}
	}
}

func peersField(d ir.Direction) string {
	if d == ir.Egress {
		return "to"
	}
	return "from"
}

// absence is the reason why a selector matches no pod.
type absence struct {
	kind absenceKind
	text string
}

type absenceKind uint8

const (
	// silent: nothing can be reported, because no pods are known.
	silent absenceKind = iota
	// notGiven: the pods may be in another repository.
	notGiven
	// noneMatches: the selected namespaces have pods, but none matches.
	noneMatches
)

// absent determines why a selector matches no pod.
func (l *linter) absent(s podSelector) absence {
	text := s.text()
	a, known := l.absences[text]
	if !known {
		a = l.findAbsent(s)
		l.absences[text] = a
	}
	return a
}

func (l *linter) findAbsent(s podSelector) absence {
	if len(l.cast.pods) == 0 && len(l.seen.hosts) == 0 {
		return absence{silent, ""}
	}
	inNamespace := func(name string) bool { n := l.namespace(name); return n != nil && s.inNamespace(n) }
	if who := l.Elsewhere.find(s.pods, inNamespace, s.own, &l.work); who != "" {
		return absence{notGiven, who}
	}
	if h := l.host(s); h != nil && s.own != "" {
		return absence{noneMatches, "only pods on the host's network match, as " + h.Name + ", and those are their node to policies"}
	} else if h != nil {
		return absence{notGiven, "only pods on the host's network match, as " + objects.NameOf(h).String()}
	}
	namespaces, pods := l.population(s)
	switch {
	case l.work < 0 || s.pods.text == "*" && namespaces > 0:
		return absence{silent, ""} // all pods of a namespace without pods so far
	case namespaces == 0 && s.own == "":
		return absence{notGiven, "no namespace of the input has the labels " + s.namespaces.text}
	case pods == 0:
		return absence{notGiven, "the input has no pods there"}
	case s.own == "" && s.namespaces.text == "*":
		return absence{notGiven, "no pod of the input has the labels " + s.pods.text}
	}
	return absence{noneMatches, fmt.Sprintf("none of %d pods has the labels %s", pods, s.pods.text)}
}

// host returns the first pod on the host's network that a selector matches, or nil.
func (l *linter) host(s podSelector) *corev1.Pod {
	candidates, narrowed := narrowest(&s.pods, l.labelledHosts)
	var first *corev1.Pod
	look := func(h *corev1.Pod) {
		if !l.work.spent() && s.matchesHost(h, l.namespace(h.Namespace)) && (first == nil || objects.NameOf(h).Compare(objects.NameOf(first)) < 0) {
			first = h
		}
	}
	if narrowed {
		for _, h := range candidates {
			look(h)
		}
		return first
	}
	for _, h := range l.seen.hosts {
		look(h.Object)
	}
	return first
}

// population counts the namespaces that a selector covers, and their pods.
func (l *linter) population(s podSelector) (namespaces, pods int) {
	if s.own == "" && s.namespaces.text == "*" {
		return len(l.cast.namespaces), len(l.cast.pods)
	}
	for _, n := range s.where(l.cast) {
		if l.work.spent() {
			return namespaces, pods
		}
		if s.inNamespace(n) {
			namespaces++
			pods += len(n.pods)
		}
	}
	return namespaces, pods
}

// namedPorts reports port names that no destination pod of the rule has.
// Peers with unknown pods may have them.
func (l *linter) namedPorts(p *policy, d ir.Direction, r *rule) {
	if len(r.ports.named) == 0 {
		return
	}
	peers, known := l.destinations(p, d, r)
	if !known {
		return
	}
	pods := 0
	for _, peer := range peers {
		pods += len(peer.found)
	}
	for _, n := range r.ports.named {
		if !slices.ContainsFunc(peers, func(p *peer) bool { return p.has(n) }) {
			l.diags.Add(diag.NoSuchPolicyPort, r.origin, fmt.Sprintf("none of %d pods has a port %s", pods, n))
		}
	}
}

// destinations returns the selectors of the rule's destination pods; false if there
// may be other destinations.
func (l *linter) destinations(p *policy, d ir.Direction, r *rule) ([]*peer, bool) {
	peers := r.peers
	switch {
	case d == ir.Ingress:
		peers = []*peer{l.Model.peers.ofPods(p.subject)}
	case r.anyPeer:
		return nil, false
	}
	for _, peer := range peers {
		peer.resolve(l.cast)
		if len(peer.found) == 0 {
			return nil, false
		}
	}
	return peers, len(peers) > 0
}

// peerPath returns the place of the i-th peer of a rule.
func (p *policy) peerPath(d ir.Direction, r *rule, i int) ir.Origin {
	if p.tier != ir.NetworkTier {
		return r.origin // one field of such a rule may be several peers
	}
	return r.origin.At(fmt.Sprintf("%s.%s[%d]", r.origin.Path, peersField(d), i))
}
