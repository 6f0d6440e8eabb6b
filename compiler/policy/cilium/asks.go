package cilium

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

var operators = map[string]selection.Operator{
	opIn: selection.In, opNotIn: selection.NotIn, opExists: selection.Exists, opDoesNotExist: selection.DoesNotExist,
}

// conjunction returns what a selector asks of pods; false if no pod can be selected.
func (w *world) conjunction(s selector) (clause.Conjunction, bool) {
	var c clause.Conjunction
	for i := range s {
		w.require(&c, &s[i])
	}
	return c, !c.Never()
}

// require adds a requirement for pods, in the order of [podLabels].
func (w *world) require(c *clause.Conjunction, r *requirement) {
	op := operators[r.operator]
	of, isNamespace := strings.CutPrefix(r.key, prefixNamespaceLabel)
	switch {
	case r.source != sourceK8s && r.source != sourceAny, !w.options.podFilter.counts(r.key):
		c.Constant("", false, op, r.values...)
	case isNamespace:
		c.OfNamespace(of, op, r.values...)
	case r.key == labelNamespace:
		c.Named(op, r.values...)
	case r.key == labelServiceAccount:
		c.OfAccount(op, r.values...)
	case r.key == labelCluster:
		c.Constant(w.options.clusterName, true, op, r.values...)
	case isOwned(r.key):
		c.Constant("", false, op, r.values...)
	default:
		c.OfPod(r.key, op, r.values...)
	}
}

// ofOtherNodes returns what a selector asks of the labels of nodes that are not the own
// one, as [nodeLabels] has them; false if none can be selected.
func (w *world) ofOtherNodes(s selector) (labels.Selector, bool) {
	var c clause.Conjunction
	for i := range s {
		r := &s[i]
		op := operators[r.operator]
		is := func(source string) bool { return r.source == source || r.source == sourceAny }
		switch {
		case is(sourceReserved) && r.key == reservedRemoteNode:
			c.Constant("", true, op, r.values...)
		case w.options.nodeLabels && is(sourceK8s) && r.key == labelCluster:
			c.Constant(w.options.clusterName, true, op, r.values...)
		case w.options.nodeLabels && is(sourceNode) && w.options.nodeFilter.counts(r.key):
			c.OfPod(r.key, op, r.values...)
		default:
			c.Constant("", false, op, r.values...)
		}
	}
	return c.Pod(), !c.Never()
}

// asker collects by what a policy tells pods apart.
type asker struct {
	world *world
	clause.Asks
}

// asks returns by what one policy of an object tells pods apart; subject is nil for
// policies about nodes.
func (p *policy) asks(from *ciliumv2.Rule, subject selector) clause.Asks {
	a := asker{world: p.world}
	a.OneNumber, a.Unordered = true, true
	// Every policy tells nodes from the world.
	a.Nodes = append(a.Nodes, labels.Everything())
	if !p.node {
		one := clause.Selection{Origin: p.origin.At(p.origin.Path + ".endpointSelector"), Text: subject.String(), Subject: true, Exact: true}
		if c, possible := p.world.conjunction(subject); possible {
			one.Apart = append(one.Apart, c)
		}
		a.Selections = append(a.Selections, one)
	}
	for _, v := range views(from) {
		a.rule(p, &v)
	}
	return a.Asks
}

func (a *asker) rule(p *policy, v *view) {
	made := p.peersOf(v)
	if made == nil {
		return
	}
	for i := range v.endpoints {
		at := p.origin.At(fmt.Sprintf("%s.%s.%s[%d]", p.origin.Path, v.path, v.field("Endpoints"), i))
		a.selection(p.endpoint(&v.endpoints[i]), at, true)
	}
	at := p.origin.At(p.origin.Path + "." + v.path)
	for _, s := range made.selectors {
		a.selection(s, at, false)
		if selector, possible := a.world.ofOtherNodes(s); possible {
			a.Nodes = append(a.Nodes, selector)
		}
	}
	for _, n := range made.networks {
		a.Networks = slices.Concat(a.Networks, n.in, n.except)
	}
	for _, s := range v.portSets() {
		a.Ranges = append(a.Ranges, s.ranges...)
		for _, n := range s.named {
			a.Names = append(a.Names, clause.PortName{Name: n.name, Protocol: n.protocol})
			// A range begins at the number that the name means.
			a.Ranges = append(a.Ranges, endOf(&n)...)
		}
	}
}

// endOf returns the end of a range that begins at a named port, as a port of its own.
func endOf(n *namedPort) []ir.PortRange {
	if n.end == 0 {
		return nil
	}
	return []ir.PortRange{{Protocol: n.protocol, First: n.end, Last: n.end}}
}

// selection adds a selector of peers. Only what a policy writes as one is worth a finding.
func (a *asker) selection(s selector, at ir.Origin, written bool) {
	one := clause.Selection{Origin: at, Text: s.String(), Exact: true}
	if written {
		w := a.world
		one.Finds = func() bool {
			return noPods(s) || !onlyPods(s) && w.ofNodes(s).some || len(w.pods(s)) > 0 || len(w.remoteOf(s)) > 0
		}
	}
	if c, possible := a.world.conjunction(s); possible {
		one.Apart = append(one.Apart, c)
	}
	a.Selections = append(a.Selections, one)
}
