package policy

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Around is what is beside policies, for [Model.Lint].
type Around struct {
	// Elsewhere knows who may have pods that the input does not hold.
	Elsewhere *Elsewhere
	// Services are those of the input, with the addresses and ports that they were
	// written with; Slices those that they have, given or made.
	Services []objects.Sourced[*corev1.Service]
	Slices   []objects.Sourced[*discoveryv1.EndpointSlice] // what the Services' endpoints are
	// ServiceCIDRs are the known ranges of ClusterIPs.
	ServiceCIDRs []netip.Prefix
	// Made are the addresses of pods that were made up: blocks of addresses cannot be
	// held against them.
	Made map[netip.Addr]bool
}

// Lint returns what is valid and compiled, and probably not what was meant. That
// no pod matches a selector is said only of namespaces with pods: others may
// have theirs in another repository.
func (m *Model) Lint(around Around) diag.List {
	if m.peers == nil {
		return nil // there are no policies
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
	if l.left < 0 {
		l.diags.Add(diag.TooManyToCompare, ir.Origin{}, fmt.Sprintf("after %d comparisons of rules, peers and ports no more superfluous ones were looked for", mostComparisons))
	}
	if l.work < 0 {
		l.diags.Add(diag.TooManyToCompare, ir.Origin{}, fmt.Sprintf("after %d looks at pods and namespaces no more selectors, ports and pods without DNS were looked for", mostComparisons))
	}
	l.diags.Sort()
	return l.diags
}

// newLinter indexes what the findings ask for.
func (m *Model) newLinter(around Around) *linter {
	l := &linter{
		Model: m, Around: around, left: mostComparisons, work: mostComparisons,
		labelledHosts: make(map[label][]*corev1.Pod), absences: make(map[string]absence), owners: make(map[netip.Addr]*pod),
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
	// labelledHosts finds pods on the host's network, which are their node to a policy.
	labelledHosts map[label][]*corev1.Pod
	// owners finds pods by their addresses.
	owners map[netip.Addr]*pod
	// absences are those of selectors that were asked about before, by their text.
	absences map[string]absence
	behind   behind
	names    names
	// left is for what makes what superfluous, work for all else: the one that is spent
	// leaves the other's findings.
	left, work comparisons
	diags      diag.List
}

// namespace returns nil where there is none.
func (m *Model) namespace(name string) *namespace {
	return m.cast.byName[name]
}

// subject reports a policy without pods.
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

// absence says why a selector finds no pod.
type absence struct {
	kind absenceKind
	text string
}

type absenceKind uint8

const (
	// silent: nothing can be said, because no pods are known.
	silent absenceKind = iota
	// notGiven: the pods may well be in another repository.
	notGiven
	// noneMatches: where the selector looks there are pods, and none is it.
	noneMatches
)

// absent finds out why a selector that finds no pod does.
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
		return absence{silent, ""} // all pods of a namespace that has none yet
	case namespaces == 0 && s.own == "":
		return absence{notGiven, "no namespace of the input has the labels " + s.namespaces.text}
	case pods == 0:
		return absence{notGiven, "the input has no pods there"}
	case s.own == "" && s.namespaces.text == "*":
		return absence{notGiven, "no pod of the input has the labels " + s.pods.text}
	}
	return absence{noneMatches, fmt.Sprintf("none of %d pods has the labels %s", pods, s.pods.text)}
}

// host returns the first pod on the host's network that a selector finds, or nil.
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

// population counts the namespaces that a selector looks into, and the pods in them.
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

// namedPorts reports names that stand for nothing on any pod that the rule is
// about. A rule with peers of which nothing is known may mean those.
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

// destinations are the selectors of pods that packets of a rule go to; false where it
// may mean others too.
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

// peerPath is where the i-th peer of a rule is written.
func (p *policy) peerPath(d ir.Direction, r *rule, i int) ir.Origin {
	if p.tier != ir.NetworkTier {
		return r.origin // of such a rule one field may be several peers
	}
	return r.origin.At(fmt.Sprintf("%s.%s[%d]", r.origin.Path, peersField(d), i))
}
