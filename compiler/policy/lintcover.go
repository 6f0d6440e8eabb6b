package policy

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Coverage is decided by the text of policies, not by the pods that match
// today: a superfluous rule is superfluous for every peer. If that cannot be
// proved, the answer is no.

// mostComparisons bounds the comparisons of peers and ports in the search for
// superfluous ones, where each may cover any other. Policies of real repositories
// need a few thousand.
const mostComparisons = 10_000_000

// comparisons is the remaining number. When it is spent, nothing covers anything.
type comparisons int

func (c *comparisons) spent() bool {
	*c--
	return *c < 0
}

// covers reports whether r matches every packet that the other rule matches.
func (r *rule) covers(other *rule, left *comparisons) bool {
	if left.spent() || !r.ports.cover(&other.ports, left) {
		return false
	}
	if r.anyPeer {
		return true
	}
	if other.anyPeer || len(other.peers) == 0 {
		return false
	}
	for _, p := range other.peers {
		if !slices.ContainsFunc(r.peers, func(wide *peer) bool { return !left.spent() && wide.covers(p) }) {
			return false
		}
	}
	return true
}

func (p *ports) cover(other *ports, left *comparisons) bool {
	if p.any || other.any {
		return p.any
	}
	for _, o := range other.ranges {
		if !slices.ContainsFunc(p.ranges, func(w ir.PortRange) bool {
			return !left.spent() && w.Protocol == o.Protocol && w.First <= o.First && w.Last >= o.Last
		}) {
			return false
		}
	}
	for _, o := range other.named {
		if !slices.ContainsFunc(p.named, func(w namedPort) bool {
			return !left.spent() && w.name == o.name && (w.protocol == 0 || w.protocol == o.protocol)
		}) {
			return false
		}
	}
	return true
}

func (p *peer) covers(other *peer) bool {
	switch {
	case p.id == other.id:
		return true
	case p.pods != nil && other.pods != nil:
		return p.pods.covers(other.pods)
	case p.nodes != nil && other.nodes != nil:
		return p.nodes.covers(other.nodes)
	case p.networks != nil && other.networks != nil:
		return blockCovers(p.networks, other.networks)
	}
	return false
}

// blockCovers compares two blocks of one prefix each.
func blockCovers(wide, narrow *ir.AddressSet) bool {
	w, n := wide.Prefixes[0], narrow.Prefixes[0]
	if w.Bits() > n.Bits() || !w.Contains(n.Addr()) {
		return false
	}
	for _, e := range wide.Except {
		if e.Overlaps(n) && !slices.ContainsFunc(narrow.Except, func(ne netip.Prefix) bool { return ne.Bits() <= e.Bits() && ne.Contains(e.Addr()) }) {
			return false
		}
	}
	return true
}

// emptied reports whether the exceptions of a block, which do not overlap,
// cover it.
func emptied(s *ir.AddressSet) bool {
	return len(s.Except) > 0 && filled(s.Prefixes[0], s.Except)
}

func filled(p netip.Prefix, by []netip.Prefix) bool {
	var inside []netip.Prefix
	for _, e := range by {
		if e.Bits() <= p.Bits() && e.Contains(p.Addr()) {
			return true
		}
		if p.Contains(e.Addr()) {
			inside = append(inside, e)
		}
	}
	if len(inside) == 0 {
		return false
	}
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	return filled(low, inside) && filled(ir.UpperHalf(p), inside)
}

func (s podSelector) covers(other *podSelector) bool {
	if !s.pods.covers(&other.pods) {
		return false
	}
	switch {
	case s.own != "":
		return s.own == other.own
	case other.own != "":
		name := labels.Set{corev1.LabelMetadataName: other.own}
		return s.namespaces.onlyAsks(corev1.LabelMetadataName) && s.namespaces.Matches(name)
	}
	return s.namespaces.covers(&other.namespaces)
}

// onlyAsks reports whether the selector requires only this label.
func (s *selector) onlyAsks(key string) bool {
	requirements, _ := s.Requirements()
	return !slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return r.Key() != key })
}

// covers reports whether s matches everything that the other matches: each of its
// requirements follows from one of the other's.
func (s *selector) covers(other *selector) bool {
	if s.text == "!" || other.text == "!" {
		return other.text == "!"
	}
	wide, _ := s.Requirements()
	narrow, _ := other.Requirements()
	for _, w := range wide {
		if !slices.ContainsFunc(narrow, func(n labels.Requirement) bool { return follows(w, n) }) {
			return false
		}
	}
	return true
}

// follows reports whether every label that meets has also meets want.
func follows(want, has labels.Requirement) bool {
	if want.Key() != has.Key() {
		return false
	}
	wantValues, hasValues := want.Values(), has.Values()
	hasOne := isOneOf(has.Operator())
	switch want.Operator() {
	case selection.Exists:
		return hasOne || has.Operator() == selection.Exists
	case selection.DoesNotExist:
		return has.Operator() == selection.DoesNotExist
	case selection.Equals, selection.DoubleEquals, selection.In:
		return hasOne && wantValues.IsSuperset(hasValues)
	case selection.NotIn, selection.NotEquals:
		return hasOne && !wantValues.HasAny(hasValues.UnsortedList()...) ||
			has.Operator() == selection.DoesNotExist ||
			(has.Operator() == selection.NotIn || has.Operator() == selection.NotEquals) && hasValues.IsSuperset(wantValues)
	}
	return false
}

func isOneOf(op selection.Operator) bool {
	return op == selection.Equals || op == selection.DoubleEquals || op == selection.In
}

// covered reports rules, and peers of a rule, next to a wider one.
func (l *linter) covered(policies []*policy) {
	for _, p := range policies {
		for _, d := range ir.Directions() {
			rules := p.rules[d]
			for i := range rules {
				if j := widerThan(i, len(rules), func(a, b int) bool { return rules[a].covers(&rules[b], &l.left) }); j >= 0 {
					l.diags.Add(diag.CoveredRule, rules[i].origin, fmt.Sprintf("spec.%v[%d] allows all that it allows", d, j))
				}
				l.coveredPeers(d, &rules[i])
			}
		}
	}
}

func (l *linter) coveredPeers(d ir.Direction, r *rule) {
	for i := range r.peers {
		if j := widerThan(i, len(r.peers), func(a, b int) bool { return !l.left.spent() && r.peers[a].covers(r.peers[b]) }); j >= 0 {
			at := r.origin.At(fmt.Sprintf("%s.%s[%d]", r.origin.Path, peersField(d), i))
			l.diags.Add(diag.CoveredRule, at, fmt.Sprintf("%s[%d] of the same rule is all of it", peersField(d), j))
		}
	}
}

// widerThan returns one of n that covers the i-th; among equal ones, the first.
func widerThan(i, n int, covers func(a, b int) bool) int {
	for j := range n {
		if j != i && covers(j, i) && (j < i || !covers(i, j)) {
			return j
		}
	}
	return -1
}

// idle reports policies that another policy makes superfluous, for at least
// the same pods.
func (l *linter) idle(policies []*policy) {
	for i, p := range policies {
		if p.onlyCloses() && p.subject.pods.text == "*" {
			continue
		}
		if j := widerThan(i, len(policies), func(a, b int) bool { return policies[a].makesIdle(policies[b], &l.left) }); j >= 0 {
			l.diags.Add(diag.IdlePolicy, p.origin, fmt.Sprintf("%s applies to the same pods and allows all that it allows", policies[j].origin.Object()))
		}
	}
}

// onlyCloses reports whether the policy accepts nothing. It isolates its pods even if the
// other policies for them are removed: that is the purpose of a default deny
// (kubernetes.io: Network Policies). Next to a default deny for more pods it has no
// effect, which its author may not know.
func (p *policy) onlyCloses() bool {
	return len(p.rules[ir.Ingress])+len(p.rules[ir.Egress]) == 0
}

// makesIdle reports whether the other NetworkPolicy changes nothing next to p.
func (p *policy) makesIdle(other *policy, left *comparisons) bool {
	if left.spent() || !p.subject.covers(&other.subject) || other.onlyCloses() && other.subject.covers(&p.subject) {
		return false
	}
	for _, d := range ir.Directions() {
		if other.isolates[d] && !p.isolates[d] {
			return false
		}
		for i := range other.rules[d] {
			if !slices.ContainsFunc(p.rules[d], func(r rule) bool { return r.covers(&other.rules[d][i], left) }) {
				return false
			}
		}
	}
	return true
}

// unreachable reports rules of cluster policies after a rule of the same tier
// that already decides all their packets, with whatever action.
func (l *linter) unreachable() {
	for i, p := range l.cluster {
		for _, d := range ir.Directions() {
			for k := range p.rules[d] {
				if by := l.before(i, d, k); by != nil {
					l.diags.Add(diag.UnreachableRule, p.rules[d][k].origin, fmt.Sprintf("%s %s decides first", by.Object(), by.Path))
				}
			}
		}
	}
}

// before finds a rule that decides everything before the k-th rule of a policy.
func (l *linter) before(i int, d ir.Direction, k int) *ir.Origin {
	p := l.cluster[i]
	for j := range p.rules[d][:k] {
		if p.rules[d][j].covers(&p.rules[d][k], &l.left) {
			return &p.rules[d][j].origin
		}
	}
	for _, q := range l.cluster[:i] {
		// The order of two policies with one priority is undefined.
		if l.left.spent() || q.tier != p.tier || q.priority == p.priority || !q.subject.covers(&p.subject) {
			continue
		}
		for j := range q.rules[d] {
			if q.rules[d][j].covers(&p.rules[d][k], &l.left) {
				return &q.rules[d][j].origin
			}
		}
	}
	return nil
}
