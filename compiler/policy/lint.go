package policy

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Elsewhere is somebody who may have pods that are not among the objects: a
// workload without replicas, a resource that an operator makes pods of.
type Elsewhere struct {
	Namespace string
	Labels    labels.Set
	// What names it.
	What string
}

// Lint returns what is valid and compiled, and probably not what was meant. That
// nobody matches a selector is said only of namespaces with pods: others may
// have theirs in another repository.
func (m *Model) Lint(elsewhere []Elsewhere) diag.List {
	l := linter{Model: m, elsewhere: elsewhere, hosts: make(map[*namespace][]*corev1.Pod), left: mostComparisons}
	for _, h := range m.seen.hosts {
		if n := m.namespace(h.Object.Namespace); n != nil {
			l.hosts[n] = append(l.hosts[n], h.Object)
		}
	}
	m.all(func(p *policy) {
		l.subject(p)
		for _, d := range ir.Directions() {
			for i := range p.rules[d] {
				l.peers(p, d, &p.rules[d][i])
				l.namedPorts(p, d, &p.rules[d][i])
			}
		}
	})
	for _, n := range m.cast.namespaces {
		l.covered(m.network[n.name])
		l.idle(m.network[n.name])
		l.dns(n)
	}
	l.unreachable()
	if l.left < 0 {
		l.diags.Add(diag.TooManyToCompare, ir.Origin{}, fmt.Sprintf("after %d comparisons of rules, peers and ports no more superfluous ones were looked for", mostComparisons))
	}
	l.diags.Sort()
	return l.diags
}

// linter collects findings about policies.
type linter struct {
	*Model
	elsewhere []Elsewhere
	// hosts are the pods on the host's network, who are nobody to a policy.
	hosts map[*namespace][]*corev1.Pod
	left  comparisons
	diags diag.List
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
	case nobody:
		l.diags.Add(diag.SelectsNothing, at, "it applies to no pod: "+why.text)
	case notGiven:
		l.diags.Add(diag.PodsElsewhere, at, why.text)
	}
}

// peers reports peers of a rule that can never match.
func (l *linter) peers(p *policy, d ir.Direction, r *rule) {
	for i, peer := range r.peers {
		at := r.origin
		if p.tier == ir.NetworkTier {
			at = at.At(fmt.Sprintf("%s.%s[%d]", r.origin.Path, peersField(d), i))
		}
		peer.resolve(l.cast)
		switch {
		case peer.networks != nil && emptied(peer.networks):
			l.diags.Add(diag.EmptyBlock, at, fmt.Sprintf("nothing of %v is left", peer.networks.Prefixes[0]))
		case peer.pods == nil || len(peer.found) > 0:
		default:
			switch why := l.absent(*peer.pods); why.kind {
			case nobody:
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
	// nobody: where the selector looks there are pods, and none is it.
	nobody
)

// absent finds out why a selector that finds nobody does.
func (l *linter) absent(s podSelector) absence {
	if len(l.cast.pods) == 0 && len(l.hosts) == 0 {
		return absence{silent, ""}
	}
	for _, e := range l.elsewhere {
		n := l.namespace(e.Namespace)
		if n != nil && s.inNamespace(n) && s.pods.Matches(e.Labels) {
			return absence{notGiven, "only " + e.What + " would have such pods"}
		}
	}
	var in []*namespace
	pods := 0
	for _, n := range l.cast.namespaces {
		if !s.inNamespace(n) {
			continue
		}
		in = append(in, n)
		pods += len(n.pods)
		if i := slices.IndexFunc(l.hosts[n], func(h *corev1.Pod) bool { return s.pods.Matches(labels.Set(h.Labels)) }); i >= 0 {
			if s.own != "" {
				return absence{nobody, "only pods on the host's network match, as " + l.hosts[n][i].Name + ", and those are their node to policies"}
			}
			return absence{notGiven, "only pods on the host's network match, as " + n.name + "/" + l.hosts[n][i].Name}
		}
	}
	switch {
	case s.pods.text == "*" && len(in) > 0:
		return absence{silent, ""} // all pods of a namespace that has none yet
	case len(in) == 0 && s.own == "":
		return absence{notGiven, "no namespace of the input has the labels " + s.namespaces.text}
	case pods == 0:
		return absence{notGiven, "the input has no pods there"}
	case s.own == "" && s.namespaces.text == "*":
		return absence{notGiven, "no pod of the input has the labels " + s.pods.text}
	}
	return absence{nobody, fmt.Sprintf("none of %d pods has the labels %s", pods, s.pods.text)}
}

// namedPorts reports names that stand for nothing on any pod that the rule is
// about. A rule with peers of which nothing is known may mean those.
func (l *linter) namedPorts(p *policy, d ir.Direction, r *rule) {
	if len(r.ports.named) == 0 {
		return
	}
	var pods []*pod
	peers := r.peers
	switch {
	case d == ir.Ingress:
		peers = []*peer{l.Model.peers.ofPods(p.subject)}
	case r.anyPeer:
		return
	}
	for _, peer := range peers {
		peer.resolve(l.cast)
		if len(peer.found) == 0 {
			return
		}
		pods = append(pods, peer.found...)
	}
	for _, n := range r.ports.named {
		if !slices.ContainsFunc(pods, func(p *pod) bool { return len(n.on(p)) > 0 }) {
			l.diags.Add(diag.NoSuchPolicyPort, r.origin, fmt.Sprintf("none of %d pods has a port %s", len(pods), n))
		}
	}
}
