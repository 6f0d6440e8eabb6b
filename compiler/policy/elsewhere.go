package policy

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// Resource is an object that may have pods outside of the input: a workload without
// replicas, a custom resource whose operator makes pods, or a workload whose pods
// have labels that only a cluster knows.
type Resource struct {
	Namespace string // the namespace of the pods
	// Labels are the labels of its pods.
	Labels labels.Set
	// Open are labels with unknown values. The number n stands for the values "0" to
	// n-1, and 0 for any value.
	Open map[string]int
	// OpenOnly reports that all its pods are known except for their open labels:
	// only a selector with one of these can match unknown pods.
	OpenOnly bool
	// What names the object and says why its pods are unknown, as part of a sentence.
	What string
}

// Elsewhere finds objects that may have pods outside of the input. It is immutable;
// nil contains none.
type Elsewhere struct {
	resources []Resource
	// byNamespace and labelled find resources; labelled by one of their labels, for
	// an open label without its value.
	byNamespace map[string][]int
	labelled    map[label][]int
	// groups are the API groups of custom resources; parents the domains above them.
	groups, parents map[string]bool
	// keys are the label keys of pods in the input.
	keys map[string]bool
}

// NewElsewhere indexes resources, the API groups (DNS domains) of operators' kinds, and
// the label keys of workloads in the input.
func NewElsewhere(resources []Resource, groups []string, keys map[string]bool) *Elsewhere {
	e := &Elsewhere{
		resources: resources, keys: keys, byNamespace: make(map[string][]int), labelled: make(map[label][]int),
		groups: make(map[string]bool), parents: make(map[string]bool),
	}
	for i := range resources {
		r := &resources[i]
		e.byNamespace[r.Namespace] = append(e.byNamespace[r.Namespace], i)
		for k, v := range r.Labels {
			e.labelled[label{k, v}] = append(e.labelled[label{k, v}], i)
		}
		for k := range r.Open {
			e.labelled[label{k, ""}] = append(e.labelled[label{k, ""}], i)
		}
	}
	for _, g := range groups {
		e.groups[g] = true
		for above := range domainsAbove(g) {
			e.parents[above] = true
		}
	}
	return e
}

// domainsAbove yields the parent domains that belong to the same organisation: at least
// two labels, and not those of Kubernetes, which all projects share.
func domainsAbove(domain string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, above, _ := strings.Cut(domain, ".")
			if !strings.Contains(above, ".") || slices.Contains(sharedDomains, above) || !yield(above) {
				return
			}
			domain = above
		}
	}
}

var sharedDomains = []string{"x-k8s.io", "csi.x-k8s.io", "sigs.k8s.io", "github.io", "kubernetes.io"}

// Pods describes who may have pods in a namespace that a selector matches, or returns "".
func (e *Elsewhere) Pods(namespace string, s labels.Selector) string {
	left := comparisons(mostComparisons)
	return e.find(s, func(n string) bool { return n == namespace }, namespace, &left)
}

// find is Pods for the namespaces that inNamespace accepts; own is the only one, or
// "".
func (e *Elsewhere) find(s labels.Selector, inNamespace func(string) bool, own string, left *comparisons) string {
	if e == nil {
		return ""
	}
	for _, i := range e.candidates(s, own) {
		if left.spent() {
			return ""
		}
		r := &e.resources[i]
		if !inNamespace(r.Namespace) {
			continue
		}
		if open, ok := r.matches(s); ok {
			return "only " + r.What + open + " would have such pods"
		}
	}
	if key := e.operatorKey(s); key != "" {
		return "only an operator would label pods with " + key
	}
	return ""
}

// candidates returns a superset of the resources that a selector may match: those with
// its rarest label.
func (e *Elsewhere) candidates(s labels.Selector, own string) []int {
	out, narrowed := e.byNamespace[own], own != ""
	requirements, _ := s.Requirements()
	for _, r := range requirements {
		if !isOneOf(r.Operator()) || r.Values().Len() != 1 {
			continue
		}
		value := r.Values().UnsortedList()[0]
		have, open := e.labelled[label{r.Key(), value}], e.labelled[label{r.Key(), ""}]
		if n := len(have) + len(open); !narrowed || n < len(out) {
			out, narrowed = slices.Concat(have, open), true
		}
	}
	if narrowed {
		return out
	}
	all := make([]int, len(e.resources))
	for i := range all {
		all[i] = i
	}
	return all
}

// matches reports whether a selector may match pods of the resource, and returns the
// open label that it requires.
func (r *Resource) matches(s labels.Selector) (open string, ok bool) {
	requirements, selectable := s.Requirements()
	if !selectable {
		return "", false
	}
	for _, q := range requirements {
		values, isOpen := r.Open[q.Key()]
		switch {
		case !isOpen && !q.Matches(r.Labels):
			return "", false
		case isOpen && !mayBe(&q, values):
			return "", false
		case isOpen && q.Operator() != selection.NotIn && q.Operator() != selection.NotEquals:
			open = ", whose pods get " + q.Key() + " in a cluster,"
		}
	}
	return open, open != "" || !r.OpenOnly
}

// mayBe reports whether a label with one of the values, or any, may meet the requirement.
func mayBe(q *labels.Requirement, values int) bool {
	switch {
	case q.Operator() == selection.DoesNotExist:
		return false
	case !isOneOf(q.Operator()) || values == 0:
		return true
	}
	return slices.ContainsFunc(q.Values().UnsortedList(), func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= 0 && n < values && strconv.Itoa(n) == v
	})
}

// operatorKey returns a required label key that no workload of the input has and
// that is in the domain of a custom resource's group: its operator labels pods with
// it.
func (e *Elsewhere) operatorKey(s labels.Selector) string {
	requirements, _ := s.Requirements()
	for _, r := range requirements {
		domain, _, qualified := strings.Cut(r.Key(), "/")
		asks := isOneOf(r.Operator()) || r.Operator() == selection.Exists
		if qualified && asks && !e.keys[r.Key()] && e.operates(domain) {
			return r.Key()
		}
	}
	return ""
}

// operates reports whether a domain belongs to a group: it is equal, above or below it,
// or a sibling in a domain of three labels, as common.k8s.elastic.co is of
// elasticsearch.k8s.elastic.co.
func (e *Elsewhere) operates(domain string) bool {
	if e.groups[domain] || e.parents[domain] {
		return true
	}
	for above := range domainsAbove(domain) {
		if e.groups[above] || e.parents[above] && strings.Count(above, ".") >= 2 {
			return true
		}
	}
	return false
}
