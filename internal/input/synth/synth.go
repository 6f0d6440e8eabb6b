package synth

import (
	"net/netip"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Label marks what was made: "true" on whole objects, "addresses" on given
// Services and Pods that were completed.
const Label = "planec.io/synthetic"

const (
	whole     = "true"
	completed = "addresses"
)

// Options are facts about the cluster that the objects do not say.
type Options struct {
	// Nodes is how many Nodes there are where the input has none; 0 is 3, and
	// more than 16 are 16.
	Nodes int
	// PodCIDRs and ServiceCIDRs are the ranges that addresses are taken from,
	// where nodes and ServiceCIDR objects have none. Their families are the
	// cluster's; without any, it has both.
	PodCIDRs, ServiceCIDRs []netip.Prefix
}

// Result is what [Complete] made.
type Result struct {
	// Set is the input with everything that was made; it has no Workloads and
	// no Endpoints.
	Set objects.Set
	// Made are the objects that were not in the input, and those that were
	// completed.
	Made objects.Set
	// PodCIDRs are the ranges of pods that were used: the cluster's.
	PodCIDRs []netip.Prefix
	// Diagnostics say what could not be made.
	Diagnostics diag.List
}

// maker holds what the steps share.
type maker struct {
	options  Options
	in       *objects.Set
	out      Result
	families []ir.Family
	nodes    []node
	// ranges are those of ClusterIPs, by family.
	ranges map[ir.Family]netip.Prefix
	diags  *diag.List
}

// Complete makes what is missing. The input and its objects stay as they are. Of
// objects that are given twice it takes the one that [objects.Set.Deduplicate] chooses.
func Complete(in *objects.Set, o Options) Result {
	given := *in
	m := &maker{options: o, in: &given}
	m.diags = &m.out.Diagnostics
	given.Deduplicate(m.diags)
	m.out.Set.Append(given) // lists of our own: the caller's must not grow
	m.out.Set.Workloads, m.out.Set.Endpoints = nil, nil
	m.makeNodes()
	m.makePods()
	m.makeNamespaces()
	m.makeServices()
	m.makeSlices()
	m.out.Diagnostics.Sort()
	return m.out
}

// add puts a made object into both sets.
func add[T any](set, made *[]objects.Sourced[T], o objects.Sourced[T]) {
	*set = append(*set, o)
	*made = append(*made, o)
}
