package calico

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/selection"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// mostConjunctions bounds the conjunctions of one selector. Beyond, each of its
// comparisons stands alone, which tells more pods apart.
const mostConjunctions = 64

// What conjunctions cannot say of selectors.
const (
	unsaidParts    = "labels by a part of their value, which are examined with examples of such values"
	unsaidAccounts = "labels of service accounts"
	unsaidSources  = "named ports of sources"
)

// asker collects by what a policy tells pods apart.
type asker struct {
	world *world
	clause.Asks
}

func (a *asker) unsaid(what string) {
	if !slices.Contains(a.Unsaid, what) {
		a.Unsaid = append(a.Unsaid, what)
	}
}

// conjunctions returns what tells pods apart as a selector does, and whether the
// selector is their union.
func (a *asker) conjunctions(s *selector.Selector) (out []clause.Conjunction, exact bool) {
	all, exact := s.Alternatives(mostConjunctions)
	if !exact {
		for _, l := range s.Literals() {
			all = append(all, []selector.Literal{l})
		}
	}
	for _, literals := range all {
		var c clause.Conjunction
		for i := range literals {
			exact = a.require(&c, &literals[i]) && exact
		}
		if !c.Never() {
			out = append(out, c)
		}
	}
	return out, exact
}

// require adds a literal, as exactly as can be.
func (a *asker) require(c *clause.Conjunction, l *selector.Literal) (exact bool) {
	op := operator(l)
	values := l.Examples()
	exact = l.Asks == selector.Exists || l.Asks == selector.OneOf
	if len(values) == 0 && l.Asks == selector.OneOf { // in {}
		c.Constant("", false, op)
		return true
	}
	of, isNamespace := strings.CutPrefix(l.Label, prefixNamespace)
	account, isAccount := strings.CutPrefix(l.Label, prefixServiceAccount)
	switch {
	case l.Label == labelOrchestrator:
		c.Constant("k8s", true, op, values...)
	case l.Label == labelNamespace || isNamespace && of == labelName:
		c.Named(op, values...)
	case l.Label == labelServiceAccount || isAccount && account == labelName:
		c.OfAccount(op, values...)
	case isAccount:
		a.unsaid(unsaidAccounts)
		return false
	case isNamespace:
		c.OfNamespace(of, op, values...)
	default:
		c.OfPod(l.Label, op, values...)
	}
	if !exact {
		a.unsaid(unsaidParts)
	}
	return exact
}

func operator(l *selector.Literal) selection.Operator {
	switch {
	case l.Asks == selector.Exists && l.Not:
		return selection.DoesNotExist
	case l.Asks == selector.Exists:
		return selection.Exists
	case l.Not:
		return selection.NotIn
	}
	return selection.In
}

// selection adds a selector of a rule.
func (a *asker) selection(s *selector.Selector, at ir.Origin) {
	if s == nil {
		return
	}
	one := clause.Selection{Origin: at, Text: s.String(), Finds: func() bool { return len(a.world.pods(s)) > 0 || len(a.world.networks(s)) > 0 }}
	one.Apart, one.Exact = a.conjunctions(s)
	a.Selections = append(a.Selections, one)
	a.Networks = append(a.Networks, a.world.networks(s)...)
}

// asks returns by what a policy tells pods apart.
func (w *world) asks(s *calicov3.PolicySpec, p *clause.Policy, subject *selector.Selector) clause.Asks {
	a := asker{world: w}
	about := clause.Selection{Origin: p.Origin.At("spec.selector"), Text: subject.String(), Subject: true}
	about.Apart, about.Exact = a.conjunctions(subject)
	a.Selections = append(a.Selections, about)
	if slices.Contains(s.Types, "Ingress") {
		a.rules(s.Ingress, ir.Ingress, p.Origin)
	}
	if slices.Contains(s.Types, "Egress") {
		a.rules(s.Egress, ir.Egress, p.Origin)
	}
	return a.Asks
}

func (a *asker) rules(rules []calicov3.Rule, d ir.Direction, at ir.Origin) {
	for i := range rules {
		where := at.At(fmt.Sprintf("spec.%v[%d]", d, i))
		a.rule(newRule(a.world, &rules[i], d, at.Namespace, where))
	}
}

func (a *asker) rule(r *rule) {
	own, peer := "source", "destination"
	if r.direction == ir.Ingress {
		own, peer = peer, own
	}
	a.side(r, &r.own, own)
	a.side(r, &r.peer, peer)
	a.Ranges = slices.Concat(a.Ranges, r.icmp, r.not)
}

func (a *asker) side(r *rule, s *side, field string) {
	at := r.origin.At(r.origin.Path + "." + field)
	a.selection(s.selector, at)
	a.selection(s.not, at.At(at.Path+".notSelector"))
	a.Networks = slices.Concat(a.Networks, s.nets, s.notNets)
	names := slices.Concat(s.ports.named, s.ports.notNamed)
	if field == "source" {
		if len(names) > 0 {
			a.unsaid(unsaidSources)
		}
		return
	}
	for _, name := range names {
		a.Names = append(a.Names, clause.PortName{Name: name, Protocol: r.protocol})
	}
	a.Ranges = slices.Concat(a.Ranges, s.ports.numeric, s.ports.not)
	if s.service != nil {
		for _, slice := range a.world.slicesOf(r.serviceOf()) {
			a.Ranges = append(a.Ranges, endpointPorts(slice, r.protocol)...)
		}
	}
}
