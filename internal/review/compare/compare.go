package compare

import (
	"slices"
	"strings"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// State is one of the two things to compare.
type State struct {
	Objects *objects.Set      // everything that was read or made
	Cluster *compiler.Cluster // what was prepared of the objects
	Network *netpath.Network  // all nodes of it, for the way of a connection
	// Workloads are what pods were made of, of kinds that are not known too: their
	// namespaces are there.
	Workloads []objects.Sourced[*objects.Workload]
	// PodsUnknown is whether nothing of the state says which pods there are: neither pods
	// nor what they are made of was read. A namespace that has no object may then have
	// pods all the same.
	PodsUnknown bool
}

// NewState prepares objects for a comparison.
func NewState(set *objects.Set, cluster *compiler.Cluster) *State {
	return &State{Objects: set, Cluster: cluster, Network: netpath.New(set, cluster, netpath.Evaluator)}
}

// places are the nodes that have rules: those of the input, those that pods name,
// and "" where pods have no node yet.
func (s *State) places() []string {
	names := s.Cluster.Nodes()
	for _, p := range s.Objects.Pods {
		names = append(names, p.Object.Spec.NodeName)
	}
	for i := range s.Objects.EndpointSlices {
		for j := range s.Objects.EndpointSlices[i].Object.Endpoints {
			if n := s.Objects.EndpointSlices[i].Object.Endpoints[j].NodeName; n != nil {
				names = append(names, *n)
			}
		}
	}
	if len(names) == 0 {
		names = []string{""}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// serviceNodes are the nodes whose view of Services counts: those of the input, or
// where it has none those that pods are on.
func (s *State) serviceNodes() []string {
	if names := s.Cluster.Nodes(); len(names) > 0 {
		return names
	}
	names := s.places()
	if len(names) > 1 && names[0] == "" {
		return names[1:]
	}
	return names
}

// States compares objects and what they mean. Rules are another matter: see
// [Rules].
func States(before, after *State) *diffreport.Report {
	r := &diffreport.Report{Objects: changedObjects(before.Objects, after.Objects)}
	r.Sort()
	changes := indexChanges(r.Objects)
	c := newComparison(before, after, changes)
	r.Findings = append(compareServices(c), c.reach()...)
	c.note(r)
	for i := range r.Findings {
		r.Findings[i].Text = capital(r.Findings[i].Text)
	}
	r.Sort()
	return r
}

// capital begins a sentence with a capital letter, unless its first word is a name.
func capital(s string) string {
	if first, _, _ := strings.Cut(s, " "); first == "" || strings.ContainsAny(first, "/.0123456789") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// changes finds what became of an object.
type changes map[objects.Identity]*diffreport.Object

func indexChanges(list []diffreport.Object) changes {
	out := make(changes, len(list))
	for i := range list {
		out[objects.IdentityAt(list[i].Origin)] = &list[i]
	}
	return out
}

// what returns how an object changed; "" is not at all.
func (c changes) what(o ir.Origin) diffreport.Change {
	if x := c[objects.IdentityAt(o)]; x != nil {
		return x.Change
	}
	return ""
}

// ofPolicies reports whether any object differs that policies are, or are about.
func (c changes) ofPolicies() bool {
	kinds := []string{"NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "Namespace", "Pod", "Node"}
	for key := range c {
		if slices.Contains(kinds, key.Kind) {
			return true
		}
	}
	return false
}
