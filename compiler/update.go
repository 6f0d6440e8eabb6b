package compiler

import (
	"bytes"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Apply applies changes of objects and returns how the program differs.
func (x *Incremental) Apply(u Update) Delta {
	x.first = nil
	dirty := x.dirty(u)
	defer x.store.tidy(dirty)
	imports := x.changedImports(u.Others, dirty)
	before := x.past(dirty)
	x.take(u)
	x.store.putImports(x.imports, imports)
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
		if owner, had := x.store.ownerOf(s.Name); had {
			dirty[owner] = true
		}
		if s.Slice.Object != nil {
			dirty[objects.OwnerOf(s.Slice.Object)] = true
		}
	}
	return dirty
}

// take stores Services and slices.
func (x *Incremental) take(u Update) {
	for _, s := range u.Services {
		if s.Service.Object == nil {
			x.store.dropService(s.Name)
		} else {
			x.store.putService(s.Service)
		}
	}
	for _, s := range u.Slices {
		x.store.dropSlice(s.Name)
		if s.Slice.Object != nil {
			x.store.putSlice(s.Slice, nil)
		}
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
		x.whole()
		return false, true
	}
	before := x.policy
	x.policy = x.lowerPolicy()
	return !reflect.DeepEqual(before, x.policy), false
}

func (x *Incremental) lowerPolicy() ir.Policy {
	set := x.others
	if set.HasDialects() {
		// Rules of other dialects may be about Services.
		set.Services, set.EndpointSlices = x.store.sorted()
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
