package compiler

import (
	"bytes"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Apply applies changes of objects and returns how the program differs.
func (x *Incremental) Apply(u Update) Delta {
	x.first = nil
	dirty := x.dirty(u)
	imports := x.changedImports(u.Others, dirty)
	before := x.past(dirty)
	x.take(u)
	x.imports = imports
	policy, old := false, x.policy
	if u.LocalAddresses != nil && !slices.Equal(u.LocalAddresses, x.config.LocalAddresses) {
		x.config.LocalAddresses = u.LocalAddresses
		if u.Others == nil {
			u.Others = &x.others
		}
	}
	if u.Domains != nil && !maps.EqualFunc(u.Domains, x.config.Domains, slices.Equal[[]netip.Addr]) {
		x.config.Domains = u.Domains
		if u.Others == nil {
			u.Others = &x.others
		}
	}
	if u.Others != nil {
		whole := false
		if policy, whole = x.takeOthers(*u.Others); whole {
			return Delta{Whole: true}
		}
	}
	if len(dirty) > 0 && !policy && x.others.HasDialects() {
		before := x.policy
		x.policy = x.lowerPolicy()
		policy = !reflect.DeepEqual(before, x.policy)
	}
	d := Delta{Before: &ir.Program{}, After: &ir.Program{}}
	switch {
	case len(dirty) > 0:
		d = x.relower(dirty, before)
	case policy:
		d = Delta{Before: x.fragment(nil), After: x.fragment(nil)}
	}
	if policy {
		d.Policy, d.Before.Policy, d.After.Policy = true, old, x.policy
	}
	return d
}

// dirty returns the Services that may differ after an update.
func (x *Incremental) dirty(u Update) map[objects.Name]bool {
	dirty := make(map[objects.Name]bool)
	for _, s := range u.Services {
		dirty[s.Name] = true
	}
	for _, s := range u.Slices {
		if old, had := x.slices[s.Name]; had {
			dirty[ownerOf(old)] = true
		}
		if s.Slice.Object != nil {
			dirty[ownerOf(s.Slice)] = true
		}
	}
	return dirty
}

// take stores Services and slices.
func (x *Incremental) take(u Update) {
	for _, s := range u.Services {
		if n := s.Name; s.Service.Object == nil {
			delete(x.services, n)
		} else {
			x.services[n] = s.Service
		}
	}
	for _, s := range u.Slices {
		n := s.Name
		if old, had := x.slices[n]; had {
			x.dropSlice(n, ownerOf(old))
		}
		if s.Slice.Object != nil {
			x.putSlice(s.Slice)
		}
	}
}

func ownerOf(s objects.Sourced[*discoveryv1.EndpointSlice]) objects.Name {
	return objects.OwnerOf(s.Object)
}

func (x *Incremental) putSlice(s objects.Sourced[*discoveryv1.EndpointSlice]) {
	n, owner := objects.NameOf(s.Object), ownerOf(s)
	if _, had := x.slices[n]; !had {
		x.owned[owner] = append(x.owned[owner], n)
	}
	x.slices[n] = s
}

func (x *Incremental) dropSlice(n, owner objects.Name) {
	delete(x.slices, n)
	left := slices.DeleteFunc(x.owned[owner], func(have objects.Name) bool { return have == n })
	if x.owned[owner] = left; len(left) == 0 {
		delete(x.owned, owner)
	}
}

// takeOthers stores the objects of other kinds. It reports whether the policy
// differs, and whether the node's facts differ, in which case everything was
// compiled again.
func (x *Incremental) takeOthers(others objects.Set) (policy, whole bool) {
	others.Services, others.EndpointSlices = nil, nil
	x.others = others
	had := x.otherNodes
	shell, lowerer := x.facts()
	if !bytes.Equal(shell.Text(), x.shell.Text()) || lowerer.Zone != x.lowerer.Zone || x.listsNewly(had) {
		x.whole(x.named())
		return false, true
	}
	before := x.policy
	x.policy = x.lowerPolicy()
	return !reflect.DeepEqual(before, x.policy), false
}

// servicesAndSlices lists all Services and EndpointSlices by name.
func (x *Incremental) servicesAndSlices() (services []objects.Sourced[*corev1.Service], endpoints []objects.Sourced[*discoveryv1.EndpointSlice]) {
	for _, n := range slices.SortedFunc(maps.Keys(x.services), objects.Name.Compare) {
		services = append(services, x.services[n])
	}
	for _, n := range slices.SortedFunc(maps.Keys(x.slices), objects.Name.Compare) {
		endpoints = append(endpoints, x.slices[n])
	}
	return services, endpoints
}

func (x *Incremental) lowerPolicy() ir.Policy {
	set := x.others
	if set.HasDialects() {
		// Rules of other dialects may be about Services.
		set.Services, set.EndpointSlices = x.servicesAndSlices()
	}
	x.policies, x.findings.policies = x.policies.Next(&set, policySettings(x.config))
	x.findings.stale = true
	var p ir.Program
	x.lowered.Lower(x.policies, x.node, onDeny(x.config), x.config.Hash, &p, &x.findings.policies)
	if x.config.FailClosed {
		p.Node.Addresses = x.shell.Node.Addresses
		var unused diag.List
		nodes := indexNodes(x.others.Nodes, &unused)
		if object, there := nodes[x.node]; there {
			closeUnknown(object, known(x.others.Pods), &p, onDeny(x.config), &x.findings.policies)
		}
		p.Normalize()
	}
	return p.Policy
}
