package policy

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// selector is a label selector with its canonical text: "*" for everything.
type selector struct {
	labels.Selector
	text string
}

// newSelector parses a selector that validation has accepted; nil selects
// everything, like an empty one.
func newSelector(s *metav1.LabelSelector) selector {
	if s == nil {
		s = &metav1.LabelSelector{}
	}
	compiled, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		compiled = labels.Nothing()
	}
	text := compiled.String()
	switch {
	case err != nil:
		text = "!"
	case text == "":
		text = "*"
	}
	return selector{compiled, text}
}

// podSelector selects pods by their namespace and their labels.
type podSelector struct {
	// own is the only namespace, if namespaces is not used.
	own        string
	namespaces selector
	pods       selector
}

// text is canonical: selectors with equal texts select the same pods.
func (s podSelector) text() string {
	where := s.own
	if where == "" {
		where = "ns(" + s.namespaces.text + ")"
	}
	return "pods " + where + " " + s.pods.text
}

func (s podSelector) matches(p *pod) bool {
	return s.inNamespace(p.namespace) && s.pods.Matches(p.labels)
}

func (s podSelector) inNamespace(n *namespace) bool {
	if s.own != "" {
		return n.name == s.own
	}
	return s.namespaces.Matches(n.labels)
}

// matchesHost matches a pod on the host's network.
func (s podSelector) matchesHost(p *corev1.Pod, n *namespace) bool {
	return n != nil && s.inNamespace(n) && s.pods.Matches(labels.Set(p.Labels))
}

// find returns the pods, sorted. A required label narrows the search,
// because a selector over all namespaces would otherwise visit every pod.
func (s podSelector) find(c *cast) []*pod {
	var out []*pod
	where := s.where(c)
	if narrow, ok := narrowest(&s.pods, c.labelled); ok && (s.own == "" || len(where) == 0 || len(narrow) < len(where[0].pods)) {
		for _, p := range narrow {
			if s.matches(p) {
				out = append(out, p)
			}
		}
		return out
	}
	for _, n := range where {
		if !s.inNamespace(n) {
			continue
		}
		for _, p := range n.pods {
			if s.pods.Matches(p.labels) {
				out = append(out, p)
			}
		}
	}
	return out
}

// where returns a superset of the selected namespaces, sorted.
func (s podSelector) where(c *cast) []*namespace {
	if s.own != "" {
		if n := c.byName[s.own]; n != nil {
			return []*namespace{n}
		}
		return nil
	}
	if narrow, ok := narrowest(&s.namespaces, c.labelledNamespaces); ok {
		return narrow
	}
	return c.namespaces
}

// narrowest returns the objects with one of the selector's required labels, the
// rarest one.
func narrowest[T any](s *selector, labelled map[label][]T) (best []T, found bool) {
	for _, l := range s.asks() {
		have := labelled[l]
		if !found || len(have) < len(best) {
			best, found = have, true
		}
	}
	return best, found
}

// asks returns the labels that every selected pod must have.
func (s *selector) asks() []label {
	var out []label
	requirements, _ := s.Requirements()
	for _, r := range requirements {
		if op := r.Operator(); op != selection.Equals && op != selection.In || r.Values().Len() != 1 {
			continue
		}
		out = append(out, label{r.Key(), r.Values().UnsortedList()[0]})
	}
	return out
}
