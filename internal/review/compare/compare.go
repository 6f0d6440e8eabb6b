package compare

import (
	"slices"
	"strings"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// State is one of the two states to compare.
type State struct {
	Objects *objects.Set      // all objects that were read or made
	Cluster *compiler.Cluster // the compiler's preparation of the objects
	Network *netpath.Network  // the rules of all nodes, for the path of a connection
	// Workloads are the owners of pods, also of unknown kinds. They prove that
	// their namespaces exist.
	Workloads []objects.Sourced[*objects.Workload]
	// PodsUnknown reports that the state does not say which pods exist: it has neither
	// pods nor workloads. A namespace without objects may then have pods nevertheless.
	PodsUnknown bool
	// Addresses are what pools give to Services; nil where none were allocated.
	Addresses *ipam.Result
}

// NewState prepares objects for a comparison.
func NewState(set *objects.Set, cluster *compiler.Cluster) *State {
	return &State{Objects: set, Cluster: cluster, Network: netpath.New(set, cluster, netpath.Evaluator)}
}

// places returns the nodes with rules: those of the input, those that pods name,
// and "" if some pods have no node yet.
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

// serviceNodes returns the nodes whose Services are compared: those of the input,
// or without any those of the pods.
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

// States compares objects and their meaning. [Rules] compares the emitted
// rules.
func States(before, after *State) *diffreport.Report {
	r := &diffreport.Report{Objects: changedObjects(before.Objects, after.Objects)}
	r.Sort()
	changes := indexChanges(r.Objects)
	c := newComparison(before, after, changes)
	r.Findings = slices.Concat(compareServices(c), compareAddresses(c), c.reach())
	c.note(r)
	for i := range r.Findings {
		r.Findings[i].Text = capital(r.Findings[i].Text)
	}
	r.Sort()
	return r
}

// capital capitalizes a sentence, unless its first word is a name.
func capital(s string) string {
	if first, _, _ := strings.Cut(s, " "); first == "" || strings.ContainsAny(first, "/.0123456789") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// changes maps an object to its change.
type changes map[objects.Identity]*diffreport.Object

func indexChanges(list []diffreport.Object) changes {
	out := make(changes, len(list))
	for i := range list {
		out[objects.IdentityAt(list[i].Origin)] = &list[i]
	}
	return out
}

// what returns how an object changed; "" means not at all.
func (c changes) what(o ir.Origin) diffreport.Change {
	if x := c[objects.IdentityAt(o)]; x != nil {
		return x.Change
	}
	return ""
}

// ofPolicies reports whether a changed object is a policy, or can change what policies select.
func (c changes) ofPolicies() bool {
	kinds := []string{"NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", objects.KindCalicoNetworkPolicy, "GlobalNetworkPolicy", "Tier", "NetworkSet", "GlobalNetworkSet", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumCIDRGroup", "ConfigMap", "ServiceAccount", "Namespace", "Pod", "Node"}
	for key := range c {
		if slices.Contains(kinds, key.Kind) {
			return true
		}
	}
	return false
}
