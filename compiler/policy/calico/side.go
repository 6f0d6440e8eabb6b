package calico

import (
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// side is what a rule says of one end of a connection.
type side struct {
	// selector is what the end must match, or nil for everybody; not is what it must
	// not match where there is no selector, or nil.
	selector, not *selector.Selector
	nets, notNets []netip.Prefix
	service       *calicov3.Service
	ports         sidePorts
}

// sidePorts are the ports of one end.
type sidePorts struct {
	any      bool           // neither numbers nor names are asked for
	numeric  []ir.PortRange // alternatives, as the named ones
	named    []string       // sorted
	not      []ir.PortRange // none of these, and of the named ones
	notNamed []string       // sorted
}

// isPlain reports that the side restricts nothing but numbers of ports.
func (s *side) isPlain() bool {
	return s.selector == nil && s.not == nil && len(s.nets)+len(s.notNets)+len(s.ports.named)+len(s.ports.notNamed) == 0
}

// families returns the families that the networks of the side leave: networks of one
// family make the rule one of that family alone, also those that are excluded
// (felix/rules/policy.go, FilterRuleToIPVersion).
func (s *side) families() families {
	f := bothFamilies
	for _, list := range [][]netip.Prefix{s.nets, s.notNets} {
		if len(list) > 0 {
			var of families
			for _, n := range list {
				of.v4, of.v6 = of.v4 || n.Addr().Is4(), of.v6 || n.Addr().Is6()
			}
			f = f.and(of)
		}
	}
	return f
}

// newSide reads one end of a rule that validation has accepted; ns is the policy's
// namespace, or "". A protocol of 0 is none.
func newSide(e *calicov3.Entity, ns string, proto ir.Protocol) side {
	s := side{selector: entitySelector(e, ns), nets: nets(e.Nets), notNets: nets(e.NotNets), service: e.Services}
	if e.NotSelector != "" {
		// With a selector, what does not match is taken from it: the end must be known.
		if not := parsed(e.NotSelector); s.selector != nil {
			s.selector = selector.And(s.selector, selector.Not(not))
		} else {
			s.not = not
		}
	}
	s.ports.any = len(e.Ports) == 0
	s.ports.numeric, s.ports.named = split(e.Ports, proto)
	s.ports.not, s.ports.notNamed = split(e.NotPorts, proto)
	return s
}

func nets(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		if n, err := parseNet(text); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// split divides ports into numbers and names.
func split(ports []intstr.IntOrString, proto ir.Protocol) (numeric []ir.PortRange, named []string) {
	for i := range ports {
		p, err := parsePort(&ports[i])
		switch {
		case err != nil:
		case p.name != "":
			named = append(named, p.name)
		default:
			numeric = append(numeric, ir.PortRange{Protocol: proto, First: p.first, Last: p.last})
		}
	}
	slices.Sort(named)
	return distinct(numeric), slices.Compact(named)
}

// parsed reads a selector that validation has accepted.
func parsed(text string) *selector.Selector {
	s, err := selector.Parse(text)
	if err != nil {
		return selector.Not(selector.All()) // unreachable; it selects nothing
	}
	return s
}

// entitySelector makes one selector of what an end says of labels, or returns nil if it
// says nothing: then everybody is meant, also who is not known. As soon as a policy of a
// namespace selects, it selects in its namespace (libcalico-go/lib/backend/syncersv1/
// updateprocessors/rules.go, getEndpointSelector).
func entitySelector(e *calicov3.Entity, ns string) *selector.Selector {
	var all []*selector.Selector
	switch {
	case e.NamespaceSelector != "":
		workload := selector.Has(labelNamespace)
		all = append(all, parsed(e.NamespaceSelector).Prefixed(prefixNamespace).With(workload, selector.Not(workload)))
	case ns != "":
		all = append(all, selector.Equal(labelNamespace, ns))
	}
	where := len(all)
	if a := e.ServiceAccounts; a != nil && a.Selector != "" {
		all = append(all, parsed(a.Selector).Prefixed(prefixServiceAccount))
	}
	if a := e.ServiceAccounts; a != nil && len(a.Names) > 0 {
		all = append(all, selector.In(labelServiceAccount, a.Names))
	}
	if e.Selector != "" {
		all = append(all, parsed(e.Selector))
	}
	if len(all) == where && e.NotSelector == "" && e.NamespaceSelector == "" {
		return nil
	}
	if len(all) == 0 {
		return nil // a policy of the cluster with notSelector alone
	}
	return selector.And(all...)
}

// ownFamilies returns the families in which the side, which is the pod's own, matches
// the pod. A family of which the pod has no address is not in question.
func (s *side) ownFamilies(w *world, p *clause.Pod, every bool) families {
	// The members of a named port are pods by their labels alone.
	byName := len(s.ports.named) > 0 && len(s.ports.numeric) == 0
	return familiesWhere(p, every, func(a netip.Addr) bool {
		switch {
		case s.selector != nil && byName && !w.matches(s.selector, p):
		case s.selector != nil && !byName && !w.selects(s.selector, p, a):
		case s.not != nil && w.selects(s.not, p, a):
		case len(s.nets) > 0 && !ir.ContainsAddr(s.nets, a), ir.ContainsAddr(s.notNets, a):
		default:
			return true
		}
		return false
	})
}

// familiesWhere returns the families in which a condition holds for one of a pod's
// addresses, or for every one of them.
func familiesWhere(p *clause.Pod, every bool, holds func(netip.Addr) bool) families {
	some, all := families{}, bothFamilies
	there := families{}
	for _, a := range p.Addresses {
		of := onlyFamily(ir.FamilyOf(a))
		there.v4, there.v6 = there.v4 || of.v4, there.v6 || of.v6
		if holds(a) {
			some.v4, some.v6 = some.v4 || of.v4, some.v6 || of.v6
		} else {
			all.v4, all.v6 = all.v4 && !of.v4, all.v6 && !of.v6
		}
	}
	if every {
		return all
	}
	some.v4, some.v6 = some.v4 || !there.v4, some.v6 || !there.v6
	return some
}

// ownNumbers returns what names of ports mean on the pod itself, which counts as having
// them only if the side's selector selects it.
func (s *side) ownNumbers(w *world, p *clause.Pod, names []string, proto ir.Protocol) []ir.PortRange {
	if len(names) == 0 || s.selector != nil && !w.matches(s.selector, p) {
		return nil
	}
	return numbersOf(p, names, proto)
}
