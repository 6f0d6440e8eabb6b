package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The findings here are those of Kubernetes' policies, about policies of other dialects.

// ofDialects looks at the policies of other dialects.
func (l *linter) ofDialects() {
	f := l.foreign
	if f == nil || len(f.policies) == 0 {
		return
	}
	selected := make(map[*clause.Policy]bool)
	for _, policies := range l.dialects {
		for _, q := range policies {
			selected[q] = true
		}
	}
	list := make([]*asking, 0, len(f.policies))
	for _, p := range f.policies {
		if p.Asks == nil {
			continue
		}
		a := &asking{Policy: p, asks: p.Asks()}
		a.pods = subjectOf(&a.asks)
		list = append(list, a)
		for i := range a.asks.Selections {
			l.selection(p, &a.asks.Selections[i], selected[p])
		}
	}
	for _, p := range list {
		for _, d := range ir.Directions() {
			l.decidedBefore(p, list, d)
		}
	}
}

// asking is a policy with what it asks.
type asking struct {
	*clause.Policy
	asks clause.Asks
	pods []podSelector // it is about their union; nil is not known
}

// selection reports a selector that selects nothing.
func (l *linter) selection(p *clause.Policy, s *clause.Selection, selected bool) {
	if !s.Exact || len(s.Apart) == 0 || s.Subject && (selected || !p.Ingress.Affects() && !p.Egress.Affects()) || !s.Subject && (s.Finds == nil || l.found(s)) {
		return
	}
	nothing, elsewhere := diag.PeerNobody, diag.PeerElsewhere
	lead := ""
	if s.Subject {
		nothing, elsewhere, lead = diag.SelectsNothing, diag.PodsElsewhere, "it applies to no pod: "
	}
	why := l.absentAll(s.Apart)
	switch why.kind {
	case noneMatches:
		l.diags.Add(nothing, s.Origin, lead+why.text)
	case notGiven:
		l.diags.Add(elsewhere, s.Origin, why.text)
	}
}

// found reports whether the selector of a peer finds something, or whether too much was
// looked at. A look at the pods costs more than a comparison, and less than one for each.
func (l *linter) found(s *clause.Selection) bool {
	const podsOfOne = 16
	out, known := l.finds[s.Text]
	if !known {
		if l.work -= comparisons(len(l.cast.pods) / podsOfOne); l.work.spent() {
			return true
		}
		out = s.Finds()
		l.finds[s.Text] = out
	}
	return out
}

// absentAll determines why no alternative of a selector matches a pod: the pods of one
// may be in another repository, or there are none.
func (l *linter) absentAll(all []clause.Conjunction) absence {
	var texts []string
	for i := range all {
		s := selecting(&all[i])
		why := l.absent(s)
		if requirements, _ := s.pods.Requirements(); why.kind == noneMatches {
			for _, r := range requirements {
				if r.Key() == clause.AccountKey {
					return absence{notGiven, "no pod of the input has such a service account"}
				}
			}
		}
		if why.kind != noneMatches {
			return why
		}
		if !slices.Contains(texts, why.text) {
			texts = append(texts, why.text)
		}
	}
	return absence{noneMatches, strings.Join(texts, "; ")}
}

// decidedBefore reports rules of a policy all of whose packets another rule decides: one
// that stands before it, or in the same policy does the same.
func (l *linter) decidedBefore(p *asking, list []*asking, d ir.Direction) {
	rules := p.Side(d).Rules
	if len(rules) == 0 {
		return
	}
	list = l.wider(p, list, d)
	for _, group := range grouped(rules) {
		var by *clause.Rule
		of := p
		for _, i := range group {
			if by, of = l.decides(p, i, list, d); by == nil {
				break
			}
		}
		if by == nil {
			continue
		}
		r := &rules[group[0]]
		if of == p && p.unordered() && by.Rank == r.Rank {
			l.diags.Add(diag.CoveredRule, r.Origin, fmt.Sprintf("%s is all of it", by.Origin.Path))
			continue
		}
		l.diags.Add(diag.UnreachableRule, r.Origin, fmt.Sprintf("%s %s decides first", by.Origin.Object(), by.Origin.Path))
	}
}

// wider returns the other policies of the tier that are about every pod of p, and have
// rules of a direction.
func (l *linter) wider(p *asking, list []*asking, d ir.Direction) []*asking {
	var out []*asking
	for _, q := range list {
		if q != p && q.Tier == p.Tier && len(q.Side(d).Rules) > 0 && !l.left.spent() && l.subjectCovers(q, p) {
			out = append(out, q)
		}
	}
	return out
}

// unordered reports whether the order of the policy's rules says nothing.
func (p *asking) unordered() bool { return p.asks.Unordered }

// grouped returns the indexes of rules that stand for one of the policy's author.
func grouped(rules []clause.Rule) [][]int {
	var out [][]int
	at := make(map[string]int)
	for i := range rules {
		path := rules[i].Origin.Path
		g, known := at[path]
		if !known {
			g = len(out)
			at[path] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}

// decides returns a rule that decides all packets of the i-th rule of a policy, or nil.
func (l *linter) decides(p *asking, i int, list []*asking, d ir.Direction) (*clause.Rule, *asking) {
	rules := p.Side(d).Rules
	for j := range rules {
		same := rules[j].Origin.Path == rules[i].Origin.Path
		if !same && p.earlier(&rules[j], &rules[i], j, i) && coversClause(&rules[j], &rules[i], &l.left) && !l.mutual(p, &rules[j], &rules[i], j, i) {
			return &rules[j], p
		}
	}
	for _, q := range list {
		if l.left.spent() {
			break
		}
		others := q.Side(d).Rules
		for j := range others {
			if q.before(p, &others[j], &rules[i]) && coversClause(&others[j], &rules[i], &l.left) {
				return &others[j], q
			}
		}
	}
	return nil, nil
}

// earlier reports whether rule a of the policy is asked before rule b, or whether no
// order holds between them and a does the same.
func (p *asking) earlier(a, b *clause.Rule, i, j int) bool {
	if a.Action == ir.Log || b.Action == ir.Log {
		return false
	}
	if a.Rank != b.Rank {
		return a.Rank < b.Rank
	}
	return p.unordered() && a.Action == b.Action || !p.unordered() && i < j
}

// mutual reports that two rules without an order are equal, and the other one is kept.
func (l *linter) mutual(p *asking, a, b *clause.Rule, i, j int) bool {
	return p.unordered() && a.Rank == b.Rank && i > j && coversClause(b, a, &l.left)
}

// before reports whether a rule of q is asked before one of p.
func (q *asking) before(p *asking, a, b *clause.Rule) bool {
	if a.Action == ir.Log || b.Action == ir.Log {
		return false
	}
	if c := cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(q.Order, p.Order)); c != 0 {
		return c < 0
	}
	return !p.unordered() && !q.unordered() && q.Tie < p.Tie
}

// subjectCovers reports whether q applies to every pod to which p applies.
func (l *linter) subjectCovers(q, p *asking) bool {
	for i := range p.pods {
		if !slices.ContainsFunc(q.pods, func(w podSelector) bool { return !l.left.spent() && w.covers(&p.pods[i]) }) {
			return false
		}
	}
	return len(p.pods) > 0
}

// subjectOf returns the selectors whose union the policy is about; nil if that cannot be
// said.
func subjectOf(a *clause.Asks) []podSelector {
	for i := range a.Selections {
		if s := &a.Selections[i]; s.Subject && s.Exact {
			out := make([]podSelector, len(s.Apart))
			for j := range s.Apart {
				out[j] = selecting(&s.Apart[j])
			}
			return out
		}
	}
	return nil
}

// coversClause reports whether r matches every packet that the other rule matches, as
// far as their texts tell.
func coversClause(r, other *clause.Rule, left *comparisons) bool {
	everything := r.AnyPeer && r.AnyPort && len(r.NotPeers)+len(r.NotPorts)+len(r.SourcePorts) == 0
	switch {
	case left.spent() || r.For != nil || other.OwnNode && !r.OwnNode:
		return false
	case everything:
		return true
	case other.For != nil || len(r.SourcePorts) > 0 && !slices.Equal(r.SourcePorts, other.SourcePorts):
		return false
	}
	return peersCover(r, other, left) && clausePortsCover(r, other, left)
}

func hasPeer(list []*clause.Peer, p *clause.Peer) bool {
	return slices.ContainsFunc(list, func(q *clause.Peer) bool { return q.ID == p.ID })
}

func peersCover(r, other *clause.Rule, left *comparisons) bool {
	for _, p := range r.NotPeers {
		if left.spent() || !hasPeer(other.NotPeers, p) {
			return false
		}
	}
	if r.AnyPeer {
		return true
	}
	if other.AnyPeer || len(other.Peers) == 0 {
		return false
	}
	for _, p := range other.Peers {
		if left.spent() || !hasPeer(r.Peers, p) {
			return false
		}
	}
	return true
}

func clausePortsCover(r, other *clause.Rule, left *comparisons) bool {
	within := func(o ir.PortRange, list []ir.PortRange) bool {
		return slices.ContainsFunc(list, func(w ir.PortRange) bool {
			return !left.spent() && w.Protocol == o.Protocol && w.First <= o.First && w.Last >= o.Last
		})
	}
	for _, n := range r.NotPorts {
		if !within(n, other.NotPorts) {
			return false
		}
	}
	if r.AnyPort {
		return true
	}
	if other.AnyPort || len(other.Ports) == 0 {
		return false
	}
	for _, o := range other.Ports {
		if !within(o, r.Ports) {
			return false
		}
	}
	return true
}
