package compiler

import (
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Input is the complete input of a node's program.
type Input struct {
	Objects *objects.Set // the cluster's objects, with the API server's defaults; they are not changed
	// Node is the node's name (metadata.name, which is also the nodeName of
	// endpoints).
	Node   string
	Config objects.Config // the settings that are not objects
}

// Compile returns the program of one node and the diagnostics about the
// input. The program is always complete and satisfies [ir.Verify], whatever
// the diagnostics are.
func Compile(in Input) (*ir.Program, diag.List) {
	cluster := Prepare(in.Objects, in.Config)
	program, diags := cluster.program(in.Node, cluster.services.LowerOnly)
	diags = append(diags, cluster.Diagnostics()...)
	diags.Sort()
	return program, diags
}

// Cluster is the part of a compilation that all nodes share. It is immutable
// and safe for concurrent use.
type Cluster struct {
	services *service.Model
	policies *policy.Model
	nodes    map[string]objects.Sourced[*corev1.Node]
	cidrs    []netip.Prefix
	config   objects.Config
	diags    diag.List
	// known are the pods' addresses, if unknown ones are to be closed.
	known map[netip.Addr]bool
}

// Prepare lowers everything that does not depend on a node.
func Prepare(set *objects.Set, config objects.Config) *Cluster {
	services, diags := service.Analyze(set, service.SettingsOf(&config))
	policies, more := policy.Analyze(set, policySettings(config))
	c := &Cluster{services: services, policies: policies, config: config, diags: append(diags, more...)}
	if config.FailClosed {
		c.known = known(set.Pods)
	}
	c.nodes = indexNodes(set.Nodes, &c.diags)
	c.cidrs = readServiceCIDRs(set.ServiceCIDRs, &c.diags)
	c.diags.Sort()
	return c
}

// policySettings are the settings that policies are read with.
func policySettings(c objects.Config) policy.Settings {
	return policy.Settings{Settings: clause.Settings{Domains: c.Domains, Cluster: c.ClusterName, Separate: c.SeparatePolicies}, OnRedirect: c.OnRedirect}
}

// ServiceCIDRs returns the known ranges of ClusterIPs.
func (c *Cluster) ServiceCIDRs() []netip.Prefix {
	return ir.DisjointPrefixes(slices.Concat(c.config.ServiceCIDRs, c.cidrs))
}

// PodCIDRs returns the ranges by which every node recognises packets of pods; none
// if each node has its own range or uses interfaces.
func (c *Cluster) PodCIDRs() []netip.Prefix {
	if m := c.config.DetectLocal.Mode; m != "" && m != objects.DetectByClusterCIDR {
		return nil
	}
	return slices.Clone(c.config.ClusterCIDRs)
}

// Diagnostics returns the diagnostics about the cluster's objects.
func (c *Cluster) Diagnostics() diag.List { return slices.Clone(c.diags) }

// Nodes returns the names of the Node objects, sorted.
func (c *Cluster) Nodes() []string { return slices.Sorted(maps.Keys(c.nodes)) }

// Program returns the program of one node, and the diagnostics about that
// node.
func (c *Cluster) Program(node string) (*ir.Program, diag.List) {
	return c.program(node, c.services.Lower)
}

func (c *Cluster) program(node string, lower func(*service.Node, *ir.Program)) (*ir.Program, diag.List) {
	var diags diag.List
	p := &ir.Program{Masquerade: cloneMasquerade(c.config.Masquerade)}
	lower(c.serviceNode(node, p, &diags), p)
	markElsewhere(p.Frontends, p.Node.Addresses, othersAddresses(c.nodes, node), c.services.HasEndpoint)
	c.policies.Lower(node, onDeny(c.config), c.config.Hash, p, &diags)
	c.closeUnknown(node, p, &diags)
	p.Normalize()
	diags.Sort()
	return p, diags
}

// serviceNode writes the node's facts to the program and returns those that
// lowering Services needs.
func (c *Cluster) serviceNode(node string, p *ir.Program, diags *diag.List) *service.Node {
	facts := c.nodeFacts(node, diags)
	p.Node = facts.node
	return &service.Node{
		Name:          node,
		Zone:          facts.zone,
		Addresses:     facts.node.Addresses,
		Local:         facts.node.Local,
		MasqueradeAll: c.config.MasqueradeAll,
	}
}

// closeUnknown closes the node's addresses without a known pod, if the settings
// ask for it.
func (c *Cluster) closeUnknown(node string, p *ir.Program, diags *diag.List) {
	if object, there := c.nodes[node]; there && c.config.FailClosed {
		closeUnknown(object, c.known, p, onDeny(c.config), diags)
	}
}

// onDeny is Drop by default: an answer to a refused packet fails the conformance
// suite of network-policy-api.
func onDeny(c objects.Config) ir.Refusal {
	if c.OnDeny == 0 {
		return ir.Drop
	}
	return c.OnDeny
}

func cloneMasquerade(m ir.Masquerade) ir.Masquerade {
	m.Families = slices.Clone(m.Families)
	m.Exclude = slices.Clone(m.Exclude)
	return m
}

// LintPolicies returns findings about valid policies that are probably not as meant.
func (c *Cluster) LintPolicies(around policy.Around) diag.List {
	return c.policies.Lint(around)
}
