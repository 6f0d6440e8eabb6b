package compiler

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Incremental compiles one node again and again as objects change. What it
// holds is always what [Compile] would make of the objects it has; a change of a
// Service or a slice costs what that Service and the few it has something in
// common with cost, and one of policies what the policies cost. It keeps the
// objects, and of what they were made into little: what a change needs of that is
// made again. It is not safe for concurrent use.
type Incremental struct {
	node   string
	config objects.Config

	services map[objects.Name]objects.Sourced[*corev1.Service]
	slices   map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice]
	// owned are the slices of each Service, by the label on them.
	owned map[objects.Name][]objects.Name
	// others are the objects of all other kinds.
	others objects.Set

	shell   ir.Program
	lowerer *service.Node
	common  common
	// others are the addresses of other nodes.
	otherNodes map[netip.Addr]bool
	// policies is the model that policy was lowered from.
	policies *policy.Model
	policy   ir.Policy
	findings findings
}

// Update is what has changed. A nil object is one that is gone.
type Update struct {
	Services []ServiceUpdate // those that came, changed or went
	Slices   []SliceUpdate   // those that came, changed or went
	// Others, where it is not nil, replaces the objects of all other kinds.
	Others *objects.Set
	// LocalAddresses, where it is not nil, replaces what Config says of the
	// node's own addresses.
	LocalAddresses []netip.Addr
}

// ServiceUpdate is a Service that came, changed or, without an object, went.
type ServiceUpdate struct {
	// Name is the Service's, also where Service has no object.
	Name objects.Name
	// Service is what it is now; without an object it is gone.
	Service objects.Sourced[*corev1.Service]
}

// SliceUpdate is an EndpointSlice that came, changed or, without an object, went.
type SliceUpdate struct {
	// Name is the slice's, also where Slice has no object.
	Name objects.Name
	// Slice is what it is now; without an object it is gone.
	Slice objects.Sourced[*discoveryv1.EndpointSlice]
}

// Delta is the difference between two programs, as two fragments of them: both
// are well-formed programs with the facts of the node, the Services that differ,
// and those Services that share a ClusterIP or an endpoint of this node with
// them. What both would make of a rule is not to be touched.
type Delta struct {
	Before, After *ir.Program // the fragments; nil where Whole is set
	// Policy is whether the program's policy differs: then each fragment has its
	// program's policy, whole, and else none.
	Policy bool
	// Whole is whether the facts of the node differ, so that only the whole
	// program says what changes. There are no fragments then.
	Whole bool
}

// Empty reports whether nothing differs.
func (d *Delta) Empty() bool {
	return !d.Whole && !d.Policy && len(d.Before.Frontends)+len(d.After.Frontends)+len(d.Before.ClusterIPs)+len(d.After.ClusterIPs) == 0
}

// NewIncremental compiles the objects whole, for the start.
func NewIncremental(set *objects.Set, node string, config objects.Config) *Incremental {
	x := &Incremental{
		node: node, config: config,
		services: make(map[objects.Name]objects.Sourced[*corev1.Service], len(set.Services)),
		slices:   make(map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice], len(set.EndpointSlices)),
		owned:    make(map[objects.Name][]objects.Name, len(set.Services)),
		others:   *set,
		policies: &policy.Model{},
	}
	x.others.Services, x.others.EndpointSlices = nil, nil
	for _, s := range set.Services {
		x.services[objects.NameOf(s.Object)] = s
	}
	for _, s := range set.EndpointSlices {
		x.putSlice(s)
	}
	x.whole()
	return x
}

// whole reads everything again.
func (x *Incremental) whole() {
	x.shell, x.lowerer = x.facts()
	x.common = newCommon(len(x.services))
	x.findings.services = make(map[objects.Name]diag.List)
	x.inPieces(nil, func(m *service.Model, diags diag.List) {
		m.Interests(x.node, x.common.add)
		x.sayServices(nil, diags)
	})
	contested := x.contested()
	_, diags := x.analyze(contested, nil)
	x.sayServices(contested, diags)
	x.policy = x.lowerPolicy()
}

// piece is how many Services are analyzed at a time: what that makes of them is
// larger than the objects.
const piece = 1024

// inPieces analyzes all Services but those in except.
func (x *Incremental) inPieces(except map[objects.Name]bool, do func(*service.Model, diag.List)) {
	names := make(map[objects.Name]bool, piece)
	for n := range x.services {
		if except[n] {
			continue
		}
		if names[n] = true; len(names) == piece {
			do(x.analyze(names, nil))
			clear(names)
		}
	}
	do(x.analyze(names, nil))
}

// facts are those of the node, as a program without Services, and what lowering
// needs of them.
func (x *Incremental) facts() (ir.Program, *service.Node) {
	others := x.others
	others.NetworkPolicies, others.ClusterNetworkPolicies, others.AdminNetworkPolicies, others.BaselineAdminNetworkPolicies = nil, nil, nil, nil
	cluster := Prepare(&others, x.config)
	diags := cluster.Diagnostics()
	p := ir.Program{Masquerade: cloneMasquerade(x.config.Masquerade)}
	lowerer := cluster.serviceNode(x.node, &p, &diags)
	x.otherNodes = othersAddresses(cluster.nodes, x.node)
	x.findings.facts, x.findings.stale = diags, true
	return p, lowerer
}

// Program returns the whole program.
func (x *Incremental) Program() *ir.Program {
	p := x.empty()
	p.Frontends, p.Pools = make([]ir.Frontend, 0, len(x.services)), make([]ir.Pool, 0, len(x.services))
	seen := make(map[netip.Addr]bool, len(x.services))
	add := func(m *service.Model, _ diag.List) { m.Append(x.lowerer, x.common.isPod, seen, p) }
	contested := x.contested()
	add(x.analyze(contested, nil))
	x.inPieces(contested, add)
	markElsewhere(p.Frontends, p.Node.Addresses, x.otherNodes, x.common.hasEndpoint)
	p.Policy = clonePolicy(x.policy)
	p.Normalize()
	return p
}

// contested are the Services that claim what others claim too. Who gets it is seen
// only when all who do are read together.
func (x *Incremental) contested() map[objects.Name]bool {
	out := make(map[objects.Name]bool)
	x.common.contested(func(n objects.Name) { out[n] = true })
	return out
}

// empty is a program of the node's facts.
func (x *Incremental) empty() *ir.Program {
	return &ir.Program{Node: cloneNode(x.shell.Node), Masquerade: cloneMasquerade(x.shell.Masquerade)}
}

// fragment is a program of some parts, without policies.
func (x *Incremental) fragment(parts map[objects.Name]*service.Part) *ir.Program {
	p := x.empty()
	seen := make(map[netip.Addr]bool)
	for _, part := range parts {
		p.Frontends = append(p.Frontends, part.Frontends...)
		p.Pools = append(p.Pools, part.Pools...)
		p.HealthChecks = append(p.HealthChecks, part.HealthChecks...)
		for _, a := range part.ClusterIPs {
			if !seen[a] {
				seen[a] = true
				p.ClusterIPs = append(p.ClusterIPs, a)
			}
		}
	}
	p.Normalize()
	return p
}

func cloneNode(n ir.Node) ir.Node {
	n.Addresses = slices.Clone(n.Addresses)
	n.NodePorts.Addresses, n.NodePorts.Prefixes = slices.Clone(n.NodePorts.Addresses), slices.Clone(n.NodePorts.Prefixes)
	n.Local.CIDRs, n.ServiceCIDRs = slices.Clone(n.Local.CIDRs), slices.Clone(n.ServiceCIDRs)
	return n
}

func clonePolicy(p ir.Policy) ir.Policy {
	p.Profiles, p.AddressSets, p.Peers = slices.Clone(p.Profiles), slices.Clone(p.AddressSets), slices.Clone(p.Peers)
	return p
}
