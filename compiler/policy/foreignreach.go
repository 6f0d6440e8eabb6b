package policy

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// reach adds everything by which the policies distinguish pods and nodes.
func (f *foreign) reach(r *reacher) {
	if f == nil || len(f.policies) == 0 {
		return
	}
	r.Ordered = true
	for _, p := range f.policies {
		if p.Asks == nil {
			continue // it selects by what others select
		}
		asks := p.Asks()
		for i := range asks.Selections {
			for j := range asks.Selections[i].Apart {
				r.addConjunction(&asks.Selections[i].Apart[j])
			}
		}
		for _, n := range asks.Nodes {
			text := n.String()
			r.nodes[text] = NodeSelector{n, text}
		}
		for _, n := range asks.Networks {
			r.networks[n] = true
		}
		for _, n := range asks.Names {
			r.names[NamedPort{n.Name, n.Protocol}] = true
		}
		for _, x := range asks.Ranges {
			if x.Protocol.HasPorts() {
				r.ranges[x] = true
			}
		}
		for _, what := range asks.Unsaid {
			r.unsaid[what] = true
		}
		r.OneNumber = r.OneNumber || asks.OneNumber && len(asks.Names) > 0
	}
}

func (r *reacher) addConjunction(c *clause.Conjunction) {
	s := selecting(c)
	for _, name := range namesOf(&s.namespaces) {
		r.namespaces[name] = true
	}
	if s.own != "" {
		r.namespaces[s.own] = true
	}
	r.addSelector(s)
}

// selecting returns a conjunction as a selector of Kubernetes. A single name of the
// namespace is the own one.
func selecting(c *clause.Conjunction) podSelector {
	s := podSelector{namespaces: textual(c.Namespace()), pods: textual(c.Pod())}
	if names := s.namespaces.asks(); len(names) == 1 && names[0].key == corev1.LabelMetadataName && s.namespaces.onlyAsks(corev1.LabelMetadataName) {
		if list, _ := s.namespaces.Requirements(); len(list) == 1 {
			return podSelector{own: names[0].value, pods: s.pods}
		}
	}
	return s
}

// textual is a selector with its canonical text.
func textual(s labels.Selector) selector {
	text := s.String()
	switch {
	case s.Empty():
		text = "*"
	case text == "":
		text = "!"
	}
	return selector{s, text}
}

// namesOf returns the names of namespaces that a selector of their labels has.
func namesOf(s *selector) []string {
	var out []string
	if s.Selector == nil {
		return nil
	}
	requirements, _ := s.Requirements()
	for _, r := range requirements {
		if r.Key() == corev1.LabelMetadataName {
			out = append(out, r.ValuesUnsorted()...)
		}
	}
	return out
}

// idle returns the objects whose policies select no pod.
func (f *foreign) idle(c *cast) []ir.Origin {
	if f == nil {
		return nil
	}
	found := make(map[string]bool)
	for _, p := range c.pods {
		for _, q := range f.selecting(p) {
			found[q.Origin.Object()] = true
		}
	}
	var out []ir.Origin
	for _, p := range f.policies {
		about := p.Subject != nil && p.Asks != nil && (p.Ingress.Affects() || p.Egress.Affects())
		if name := p.Origin.Object(); about && !found[name] {
			found[name] = true
			out = append(out, p.Origin)
		}
	}
	return out
}
