package synth

import (
	"net/netip"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Label marks made objects with "true", and completed Services and Pods with
// "addresses".
const Label = "planec.io/synthetic"

const (
	whole     = "true"
	completed = "addresses"
)

// Options are facts about the cluster that objects do not contain.
type Options struct {
	// Nodes is the number of Nodes if the input has none; 0 means 3, the maximum
	// is 16.
	Nodes int
	// PodCIDRs and ServiceCIDRs are the ranges for addresses, if nodes and
	// ServiceCIDR objects have none. Their families are the cluster's; without
	// any, it has both families.
	PodCIDRs, ServiceCIDRs []netip.Prefix
	// Balancing are the settings of pools of addresses. The families are the cluster's.
	Balancing ipam.Settings
}

// Result is the result of [Complete].
type Result struct {
	// Set is the input with everything that was made, without Workloads and
	// Endpoints.
	Set objects.Set
	// Made are the objects that the input lacks, and the completed ones.
	Made objects.Set
	// PodCIDRs are the used ranges of pods, for the whole cluster.
	PodCIDRs []netip.Prefix
	// Addresses are what pools of the input give; nil if there are none.
	Addresses *ipam.Result
	// Diagnostics report what could not be made.
	Diagnostics diag.List
}

// maker holds what the steps share.
type maker struct {
	options  Options
	in       *objects.Set
	out      Result
	families []ir.Family
	nodes    []node
	// ranges are the ranges of ClusterIPs, by family.
	ranges map[ir.Family]netip.Prefix
	// pools finds the pools of load-balancer addresses; nil is without pools.
	pools *ipam.Finder
	diags *diag.List
}

// Complete makes what is missing, without changing the input and its objects. Of
// objects with the same name it takes the one that [objects.Set.Deduplicate] chooses.
func Complete(in *objects.Set, o Options) Result {
	given := *in
	m := &maker{options: o, in: &given}
	m.diags = &m.out.Diagnostics
	given.Deduplicate(m.diags)
	m.out.Set.Append(given) // copies, so that the caller's lists do not grow
	m.out.Set.Workloads, m.out.Set.Endpoints = nil, nil
	if given.HasPools() {
		m.pools = ipam.NewFinder(&given)
	}
	m.makeNodes()
	m.makePods()
	m.makeNamespaces()
	m.makeServices()
	m.allocate()
	m.makeSlices()
	m.out.Diagnostics.Sort()
	return m.out
}

// add adds a made object to both sets.
func add[T any](set, made *[]objects.Sourced[T], o objects.Sourced[T]) {
	*set = append(*set, o)
	*made = append(*made, o)
}
