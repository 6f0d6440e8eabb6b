package connectivity

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// Map is who can reach whom in one cluster. It is not safe for concurrent use.
type Map struct {
	Ends []*End // the ends inside the cluster, sorted by namespace, name and first pod
	// Edges are what policies let through, sorted by source and destination: among the
	// ends, and between them and networks outside. Pairs without an edge cannot connect.
	Edges []*Edge
	// Families are pairs that policies treat in another way over the family that Edges
	// are not about, sorted. Edges are about the source's primary family.
	Families []*FamilyEdge
	// Entries are what Ingresses and routes lead into the cluster, sorted.
	Entries []*Entry
	// Nowhere are what Ingresses and routes name and the input does not have, sorted.
	Nowhere []*Nowhere
	// Bounds are sentences about what was not examined.
	Bounds []string
	// Filtered reports that only some edges and entries are wanted.
	Filtered bool

	policies *clusterwide.Policies
	sets     clusterwide.Interned
	boths    clusterwide.Shared
	classes  [][]*End
	outside  []*network
	idle     []ir.Origin
	inside   inhabitants
	door     *door    // where entries come from, or nil
	services []string // as "svc/namespace/name", sorted
	// behind returns the ends behind a Service, and whether there is such a Service.
	behind func(objects.Name) ([]*End, bool)
}

// End is pods of one workload that policies treat alike.
type End struct {
	Namespace, Name string   // the workload's; Name is what its pods' names have in common
	Pods            []string // names of its pods, sorted; at least one
	// Of is how many pods the workload has: more than len(Pods) if policies treat some
	// of its pods in another way. These are an end of their own.
	Of int
	// Host marks pods on the host's network: policies see them as their node, which
	// reaches the pods on it whatever policies say.
	Host bool
	// Guarded tells which directions policies limit; Selected, which have a policy at
	// all, though it may admit everything.
	Guarded, Selected map[ir.Direction]bool

	at    clusterwide.Ends
	class int
}

// String returns "namespace/name".
func (e *End) String() string { return e.Namespace + "/" + e.Name }

// Group is one side of an edge: either ends inside the cluster, or networks outside.
type Group struct {
	Ends     []*End         // sorted
	Networks []netip.Prefix // as large as they can be, sorted and disjoint
	// pieces are the parts of Networks that policies tell apart.
	pieces []*network
}

// Edge is packets that policies let through from everything in one group to everything
// in the other, but from a single pod to itself.
type Edge struct {
	From, To Group
	Ports    *clusterwide.Ports // not empty
}

// Of reads who can reach whom. Programs are those of network, if it is not nil.
func Of(set *objects.Set, cluster *compiler.Cluster, network *netpath.Network) *Map {
	m := &Map{sets: make(clusterwide.Interned), boths: make(clusterwide.Shared), idle: cluster.IdlePolicies()}
	pods := netpath.Pods(set)
	door := newDoor(set, cluster, pods)
	if door != nil {
		cluster, network = cluster.With(door.objects(set)), nil
	}
	if network == nil {
		network = netpath.New(set, cluster, netpath.Evaluator)
	}
	m.policies = clusterwide.New(programs(set, cluster, network, door), m.sets)
	m.findEnds(pods)
	m.findInhabitants(set, pods)
	m.findOutside(set, cluster, pods, door)
	m.connect()
	m.findNowhere(set)
	m.behind = func(of objects.Name) ([]*End, bool) { return newServices(set, pods, m.endsOf(pods)).behind(of) }
	if m.door = door; door != nil {
		m.enter(set, pods, door)
	}
	return m
}

// programs returns the programs of all nodes, and of pods that have none yet.
func programs(set *objects.Set, cluster *compiler.Cluster, network *netpath.Network, door *door) []*ir.Program {
	names := cluster.Nodes()
	for _, p := range set.Pods {
		names = append(names, p.Object.Spec.NodeName)
	}
	if door != nil {
		names = append(names, door.place)
	}
	slices.Sort(names)
	var out []*ir.Program
	for _, name := range slices.Compact(names) {
		out = append(out, network.Program(name))
	}
	return out
}

// Idle returns the policies that select no pod of the input.
func (m *Map) Idle() []ir.Origin { return m.idle }

// Pairs calls yield for every pair of ends and every end with the networks outside, with
// the edge between them, until yield returns false. An end is paired with itself if it
// has several pods.
func (m *Map) Pairs(yield func(from, to Group, e *Edge) bool) {
	for _, e := range m.Edges {
		for _, from := range e.From.single() {
			for _, to := range e.To.single() {
				if from.sameAs(to) {
					continue
				}
				if !yield(from, to, e) {
					return
				}
			}
		}
	}
}

// single splits a group into single ends; networks stay together.
func (g *Group) single() []Group {
	if len(g.Ends) == 0 {
		return []Group{*g}
	}
	out := make([]Group, len(g.Ends))
	for i := range g.Ends {
		out[i].Ends = g.Ends[i : i+1]
	}
	return out
}

// sameAs reports whether two groups are the same single pod.
func (g Group) sameAs(o Group) bool {
	return len(g.Ends) == 1 && len(o.Ends) == 1 && g.Ends[0] == o.Ends[0] && len(g.Ends[0].Pods) == 1
}

// Counts returns how many ordered pairs of different ends have an edge, and how many
// pairs there are.
func (m *Map) Counts() (connected, all int) {
	for _, e := range m.Edges {
		n, in := len(e.From.Ends)*len(e.To.Ends), make(map[*End]bool, len(e.From.Ends))
		for _, x := range e.From.Ends {
			in[x] = true
		}
		for _, y := range e.To.Ends {
			if in[y] {
				n--
			}
		}
		connected += n
	}
	return connected, len(m.Ends) * (len(m.Ends) - 1)
}
