package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/policy/clause"
)

// standIn represents all pods outside of the input that the policies of neither
// state distinguish by labels.
type standIn struct {
	// namespace is a namespace of the input, or "" for namespaces outside of it,
	// which have the labels of the combination.
	namespace string
	combination
	// only is the state with the namespace, if the other state lacks it.
	only *State
}

// standIns holds the stand-ins of two states.
type standIns struct {
	list []*standIn
	// nodes are the labels of nodes outside of the input, as far as policies select
	// by labels of nodes.
	nodes []combination
	// namespaces are the namespaces of either state.
	namespaces map[string]*namedNamespace
	// bounds describe what exceeded a limit and was not examined.
	bounds []string
}

// namedNamespace is a namespace that occurs in a state.
type namedNamespace struct {
	// labels are those before and after.
	labels [2]map[string]string
	// object reports that the state has the namespace as a real object, named
	// that the state has objects in it, or may have.
	object, named [2]bool
}

// syntheticLabel marks objects that package synth made.
const syntheticLabel = "planec.io/synthetic"

// namedNamespaces returns the namespaces of either state, and others by name, which
// have no labels but their names, as a namespace without an object has none.
func namedNamespaces(states [2]*State, others ...string) map[string]*namedNamespace {
	out := make(map[string]*namedNamespace)
	for _, n := range others {
		out[n] = &namedNamespace{}
	}
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
		for _, p := range s.Objects.CalicoNetworkPolicies {
			name(p.Object.Namespace)
		}
		for _, p := range s.Objects.CiliumNetworkPolicies {
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
				n.labels[i] = n.labels[1-i] // its pods are not in this state and can only be peers
			}
		}
	}
	return out
}

// onlyIn returns the only state that names the namespace: it was created or
// deleted. -1 means none.
func (n *namedNamespace) onlyIn() int {
	for i := range n.object {
		if n.object[i] && !n.named[1-i] {
			return i
		}
	}
	return -1
}

// newStandIns makes the stand-ins of two states.
func newStandIns(before, after *State, reach *policy.Reach) *standIns {
	states := [2]*State{before, after}
	out := &standIns{namespaces: namedNamespaces(states, reach.Namespaces...)}
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

// matchesEither reports whether a namespace selector matches in any state.
func matchesEither(s *policy.PodSelector, n *namedNamespace) bool {
	return s.Namespaces.Matches(labels.Set(n.labels[0])) || s.Namespaces.Matches(labels.Set(n.labels[1]))
}

// own returns the labels of a stand-in.
func (k *standIn) own() map[string]string {
	if _, there := k.pod[clause.AccountKey]; !there {
		return k.pod
	}
	out := maps.Clone(k.pod)
	delete(out, clause.AccountKey)
	return out
}

func noValue(labelKey, string) bool { return false }
func noLabel(labelKey) bool         { return false }

// selectorsIn returns the selectors that may match pods of a namespace in either state.
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

// elsewhere adds pods of namespaces outside of the input.
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

// otherNodes adds nodes outside of the input.
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

// unnamed returns a prefix that no name of the input or of a selector has.
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
