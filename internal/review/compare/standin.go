package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/policy"
)

// standIn stands for all pods that the input lacks and that policies of neither
// state tell apart by labels.
type standIn struct {
	// namespace is one that the input names. It is empty for namespaces that the
	// input does not name; these have the labels of the combination.
	namespace string
	combination
	// only is the state that has the namespace at all, where the other one has not.
	only *State
}

// standIns are those of two states.
type standIns struct {
	list []*standIn
	// nodes are the labels of nodes that the input lacks, as far as policies ask for
	// labels of nodes.
	nodes []combination
	// namespaces are those that either state names.
	namespaces map[string]*namedNamespace
	// bounds say what was too much to be looked at.
	bounds []string
}

// namedNamespace is a namespace that a state names.
type namedNamespace struct {
	// labels are those in the state before and in the state after.
	labels [2]map[string]string
	// object is whether the state has it as an object that was not made up, and
	// named whether anything of the state is in it, or may be.
	object, named [2]bool
}

// syntheticLabel marks what package synth made up.
const syntheticLabel = "planec.io/synthetic"

func namedNamespaces(states [2]*State) map[string]*namedNamespace {
	out := make(map[string]*namedNamespace)
	for i, s := range states {
		name := func(n string) *namedNamespace {
			if out[n] == nil {
				out[n] = &namedNamespace{}
			}
			out[n].named[i] = true
			return out[n]
		}
		for _, p := range s.Objects.Pods {
			name(p.Object.Namespace)
		}
		for _, p := range s.Objects.NetworkPolicies {
			name(p.Object.Namespace)
		}
		for _, p := range s.Objects.Services {
			name(p.Object.Namespace)
		}
		for _, p := range s.Objects.EndpointSlices {
			name(p.Object.Namespace)
		}
		for _, w := range s.Workloads {
			name(w.Object.Namespace)
		}
		for _, src := range s.namespaces() {
			n := name(src.Object.Name)
			if n.labels[i] = src.Object.Labels; n.labels[i] == nil {
				n.labels[i] = map[string]string{}
			}
			n.object[i] = src.Object.Labels[syntheticLabel] == ""
		}
	}
	for name, n := range out {
		for i, s := range states {
			n.named[i] = n.named[i] || s.PodsUnknown
		}
		for i := range n.labels {
			if n.labels[i] != nil {
				continue
			}
			n.labels[i] = map[string]string{corev1.LabelMetadataName: name}
			if n.onlyIn() == 1-i {
				n.labels[i] = n.labels[1-i] // its pods are none of this state, which only can be their peer
			}
		}
	}
	return out
}

// onlyIn is the state that has the namespace where the other one names it nowhere:
// it was created or deleted. -1 is none.
func (n *namedNamespace) onlyIn() int {
	for i := range n.object {
		if n.object[i] && !n.named[1-i] {
			return i
		}
	}
	return -1
}

// newStandIns makes those of two states.
func newStandIns(before, after *State, reach *policy.Reach) *standIns {
	states := [2]*State{before, after}
	out := &standIns{namespaces: namedNamespaces(states)}
	if len(reach.Selectors) == 0 {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(out.namespaces)) {
		n := out.namespaces[name]
		list, complete := combinations(selectorsIn(name, n, reach), noValue, noLabel)
		for i := range list {
			k := &standIn{namespace: name, combination: list[i]}
			if at := n.onlyIn(); at >= 0 {
				k.only = states[at]
			}
			out.list = append(out.list, k)
		}
		if !complete {
			out.bounds = append(out.bounds, fmt.Sprintf("the policies tell more than %d kinds of pods of namespace %s apart", maxCombinations, name))
		}
	}
	out.elsewhere(reach)
	out.otherNodes(reach)
	return out
}

// matchesEither reports whether a selector of namespaces selects one in any state.
func matchesEither(s *policy.PodSelector, n *namedNamespace) bool {
	return s.Namespaces.Matches(labels.Set(n.labels[0])) || s.Namespaces.Matches(labels.Set(n.labels[1]))
}

func noValue(labelKey, string) bool { return false }
func noLabel(labelKey) bool         { return false }

// selectorsIn are those that may select pods of a namespace in either state.
func selectorsIn(name string, n *namedNamespace, reach *policy.Reach) []asked {
	var out []asked
	for i := range reach.Selectors {
		s := &reach.Selectors[i]
		if s.Namespace != "" && s.Namespace != name || s.Namespace == "" && !matchesEither(s, n) {
			continue
		}
		a := make(asked)
		a.add(false, s.Pods)
		out = append(out, a)
	}
	return out
}

// elsewhere are pods of namespaces that the input does not name.
func (x *standIns) elsewhere(reach *policy.Reach) {
	var selectors []asked
	for i := range reach.Selectors {
		s := &reach.Selectors[i]
		if s.Namespace != "" {
			continue
		}
		a := make(asked)
		a.add(true, s.Namespaces)
		a.add(false, s.Pods)
		selectors = append(selectors, a)
	}
	isName := func(k labelKey) bool { return k.ofNamespace && k.key == corev1.LabelMetadataName }
	list, complete := combinations(selectors, func(k labelKey, v string) bool { return isName(k) && x.namespaces[v] != nil }, isName)
	for i := range list {
		x.list = append(x.list, &standIn{combination: list[i]})
	}
	if !complete {
		x.bounds = append(x.bounds, fmt.Sprintf("the policies tell more than %d kinds of pods of namespaces apart that the input does not name", maxCombinations))
	}
}

// otherNodes are nodes that the input lacks.
func (x *standIns) otherNodes(reach *policy.Reach) {
	if len(reach.Nodes) == 0 {
		return
	}
	selectors := make([]asked, len(reach.Nodes))
	for i, s := range reach.Nodes {
		selectors[i] = make(asked)
		selectors[i].add(false, s.Selector)
	}
	complete := false
	if x.nodes, complete = combinations(selectors, noValue, noLabel); !complete {
		x.bounds = append(x.bounds, fmt.Sprintf("the policies tell more than %d kinds of nodes apart", maxCombinations))
	}
}

// unnamed begins names that neither the input nor any selector has.
func (x *standIns) unnamed(reach *policy.Reach) string {
	named := slices.Collect(maps.Keys(x.namespaces))
	for i := range reach.Selectors {
		if reach.Selectors[i].Namespace != "" {
			continue
		}
		requirements, _ := reach.Selectors[i].Namespaces.Requirements()
		for _, r := range requirements {
			named = slices.AppendSeq(named, maps.Keys(r.Values()))
		}
	}
	prefix := "elsewhere"
	for slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, prefix) }) {
		prefix += "-x"
	}
	return prefix
}
