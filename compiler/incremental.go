package compiler

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Incremental compiles one node repeatedly as objects change. Its state always
// equals what [Compile] makes of its objects. A changed Service or slice costs as
// much as that Service and the few that share something with it, a changed NetworkPolicy
// as much as it and the profiles of pods that it selects; a changed pod, or a policy of another
// dialect, as much as all policies. It keeps the objects but little of what was made from
// Services; a change makes the needed parts again. It is not safe for concurrent use.
type Incremental struct {
	node   string
	config objects.Config

	// store holds the Services, slices and imports.
	store store
	// imports are the ServiceImports once more, by [objects.ImportName].
	imports map[objects.Name]objects.Sourced[*mcs.ServiceImport]
	// others are the objects of all other kinds.
	others objects.Set
	// first is the program that was made while everything was analyzed, for the next
	// [Incremental.Program]; nil if there is none.
	first *ir.Program

	shell   ir.Program
	lowerer *service.Node
	common  common
	// otherNodes are the addresses of other nodes.
	otherNodes map[netip.Addr]bool
	// policies is the model behind policy.
	policies *policy.Model
	lowered  policy.Lowered
	policy   ir.Policy
	findings findings
}

// Update is a set of changes. A nil object means that it is gone.
type Update struct {
	Services []ServiceUpdate // added, changed or removed Services
	Slices   []SliceUpdate   // added, changed or removed slices
	// Others, if not nil, replaces the objects of all other kinds.
	Others *objects.Set
	// LocalAddresses, if not nil, replaces the node's own addresses from Config.
	LocalAddresses []netip.Addr
	// Domains, if not nil, replaces the addresses of DNS names from Config.
	Domains map[string][]netip.Addr
}

// ServiceUpdate is an added or changed Service or, without an object, a removed one.
type ServiceUpdate struct {
	// Name is the Service's name, also if Service has no object.
	Name objects.Name
	// Service is the new version; without an object it is gone.
	Service objects.Sourced[*corev1.Service]
}

// SliceUpdate is an added or changed EndpointSlice or, without an object, a removed one.
type SliceUpdate struct {
	// Name is the slice's name, also if Slice has no object.
	Name objects.Name
	// Slice is the new version; without an object it is gone.
	Slice objects.Sourced[*discoveryv1.EndpointSlice]
}

// Delta is the difference between two programs, as two fragments. Both are
// well-formed programs with the facts of the node, the Services that differ, and
// the Services that share a ClusterIP or an endpoint of this node with them.
// Rules that both fragments have in common must not be changed.
type Delta struct {
	Before, After *ir.Program // the fragments; nil if Whole is set
	// Policy reports that the policy differs. Then each fragment has the whole
	// policy of its program, and otherwise none.
	Policy bool
	// Whole reports that the facts of the node differ, so that only the whole
	// program tells what changes. There are no fragments then.
	Whole bool
}

// Empty reports whether nothing differs.
func (d *Delta) Empty() bool {
	return !d.Whole && !d.Policy && len(d.Before.Frontends)+len(d.After.Frontends)+len(d.Before.ClusterIPs)+len(d.After.ClusterIPs) == 0
}

// NewIncremental compiles all objects, as the initial state.
func NewIncremental(set *objects.Set, node string, config objects.Config) *Incremental {
	x := &Incremental{node: node, config: config, imports: importsOf(set), others: *set, policies: &policy.Model{}}
	x.store = newStore(set, x.imports)
	x.others.Services, x.others.EndpointSlices = nil, nil
	x.whole()
	return x
}

// whole analyzes everything again. It also makes the program, because the caller nearly
// always needs it next, and to read the objects is most of the work. Which endpoints are pods
// of this node is known in the end. Where Services compete for something, they must be read
// together, so [Incremental.Program] starts again.
func (x *Incremental) whole() {
	x.shell, x.lowerer = x.facts()
	x.common = newCommon(&x.store)
	x.findings.services = make(map[objects.Name]diag.List)
	p := x.empty()
	b := x.builder(func(netip.Addr) bool { return false }, p)
	pools := make([]span, len(x.store.owners))
	reader := service.NewReader(service.SettingsOf(&x.config))
	for k, o := range x.store.all() {
		s, diags := reader.Read(o)
		x.sayServices(nil, diags)
		if i, served := s.Interest(x.node); served {
			x.common.set(k, &i, true)
		}
		from := len(p.Pools)
		b.Add(s)
		pools[k] = span{uint32(from), uint32(len(p.Pools))}
	}
	b.Finish()
	x.common.settle()
	contested := x.contested()
	_, diags := x.analyze(contested, nil)
	x.sayServices(contested, diags)
	x.policy = x.lowerPolicy()
	if x.first = nil; len(contested) == 0 {
		x.markPods(p.Pools, pools)
		x.first = p
	}
}

// span is a part of a list.
type span struct{ from, to uint32 }

// markPods tells which endpoints are pods of this node. Most Services have none, and are not
// looked at; of gives the pools of each Service.
func (x *Incremental) markPods(pools []ir.Pool, of []span) {
	local := make(map[uint32]bool)
	for a := range x.common.here {
		for _, k := range x.common.at.get(a) {
			local[k] = true
		}
	}
	for k := range local {
		for i := of[k].from; i < of[k].to; i++ {
			for j := range pools[i].Endpoints {
				e := &pools[i].Endpoints[j]
				e.Local = x.common.isPod(e.Address.Addr())
			}
		}
	}
}

// facts returns the node's facts, as a program without Services, and those that
// lowering needs.
func (x *Incremental) facts() (ir.Program, *service.Node) {
	others := x.others
	others.NetworkPolicies, others.ClusterNetworkPolicies, others.AdminNetworkPolicies, others.BaselineAdminNetworkPolicies = nil, nil, nil, nil
	others.CalicoNetworkPolicies, others.CalicoGlobalNetworkPolicies, others.CalicoTiers = nil, nil, nil
	others.CalicoNetworkSets, others.CalicoGlobalNetworkSets = nil, nil
	others.CiliumNetworkPolicies, others.CiliumClusterwideNetworkPolicies, others.CiliumCIDRGroups, others.CiliumConfigs = nil, nil, nil, nil
	others.CiliumPools, others.MetalLBPools, others.Announcing = nil, nil, objects.Announcing{}
	others.Clusters = objects.Clusters{}
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
	p := x.first
	if x.first = nil; p == nil {
		p = x.served()
	}
	markElsewhere(p.Frontends, p.Node.Addresses, x.otherNodes, x.common.hasEndpoint)
	p.Policy = clonePolicy(x.policy)
	p.Normalize()
	return p
}

// Empty reports whether the program serves nothing.
func (x *Incremental) Empty() bool {
	p := x.first
	if p == nil {
		p = x.served()
	}
	return len(p.Frontends) == 0 && len(x.policy.Profiles) == 0
}

// served returns a program with all Services.
func (x *Incremental) served() *ir.Program {
	p := x.empty()
	b := x.builder(x.common.isPod, p)
	contested := x.contested()
	model, _ := x.analyze(contested, nil)
	b.Append(model)
	reader := service.NewReader(service.SettingsOf(&x.config))
	for k, o := range x.store.all() {
		if !contested[x.store.names[k]] {
			s, _ := reader.Read(o)
			b.Add(s)
		}
	}
	b.Finish()
	return p
}

// builder adds Services to a program, which gets room for all.
func (x *Incremental) builder(isPod func(netip.Addr) bool, p *ir.Program) *service.Builder {
	return service.NewBuilder(x.lowerer, isPod, p, x.store.ports)
}

// contested returns the Services with claims that others share. To find the owner,
// all claimers must be analyzed together.
func (x *Incremental) contested() map[objects.Name]bool {
	out := make(map[objects.Name]bool)
	x.common.contested(func(n objects.Name) { out[n] = true })
	return out
}

// empty returns a program with only the node's facts.
func (x *Incremental) empty() *ir.Program {
	return &ir.Program{Node: cloneNode(x.shell.Node), Masquerade: cloneMasquerade(x.shell.Masquerade)}
}

// fragment returns a program with some parts, without policies.
func (x *Incremental) fragment(parts map[objects.Name]*service.Part) *ir.Program {
	p := x.empty()
	for _, part := range parts {
		p.Frontends = append(p.Frontends, part.Frontends...)
		p.Pools = append(p.Pools, part.Pools...)
		p.HealthChecks = append(p.HealthChecks, part.HealthChecks...)
		p.ClusterIPs = append(p.ClusterIPs, part.ClusterIPs...)
	}
	p.ClusterIPs = sortedAddrs(p.ClusterIPs)
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
