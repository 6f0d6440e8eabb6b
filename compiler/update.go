package compiler

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
)

// Apply takes what has changed and says how the program differs now.
func (x *Incremental) Apply(u Update) Delta {
	dirty := x.take(u)
	policy, before := false, x.policy
	if u.Others != nil {
		whole := false
		if policy, whole = x.takeOthers(*u.Others); whole {
			return Delta{Whole: true}
		}
	}
	d := Delta{Before: &ir.Program{}, After: &ir.Program{}}
	switch {
	case len(dirty) > 0:
		d = x.relower(dirty)
	case policy:
		d = Delta{Before: x.fragment(nil, nil), After: x.fragment(nil, nil)}
	}
	if policy {
		d.Policy, d.Before.Policy, d.After.Policy = true, before, x.policy
	}
	return d
}

// take stores Services and slices and returns the Services that may differ.
func (x *Incremental) take(u Update) map[name]bool {
	dirty := make(map[name]bool)
	for _, s := range u.Services {
		n := name{s.Namespace, s.Name}
		if dirty[n] = true; s.Service.Object == nil {
			delete(x.services, n)
		} else {
			x.services[n] = s.Service
		}
	}
	for _, s := range u.Slices {
		n := name{s.Namespace, s.Name}
		if old, had := x.slices[n]; had {
			owner := ownerOf(old)
			dirty[owner] = true
			delete(x.owned[owner], n)
			if len(x.owned[owner]) == 0 {
				delete(x.owned, owner)
			}
			delete(x.slices, n)
		}
		if s.Slice.Object != nil {
			x.putSlice(s.Slice)
			dirty[ownerOf(s.Slice)] = true
		}
	}
	return dirty
}

func ownerOf(s objects.Sourced[*discoveryv1.EndpointSlice]) name {
	return name{s.Object.Namespace, s.Object.Labels[discoveryv1.LabelServiceName]}
}

func (x *Incremental) putSlice(s objects.Sourced[*discoveryv1.EndpointSlice]) {
	n, owner := name{s.Object.Namespace, s.Object.Name}, ownerOf(s)
	x.slices[n] = s
	if x.owned[owner] == nil {
		x.owned[owner] = make(map[name]bool, 1)
	}
	x.owned[owner][n] = true
}

// takeOthers stores the objects of other kinds and says whether the policy
// differs now, or whether the node's facts do, so that everything was compiled
// again.
func (x *Incremental) takeOthers(others objects.Set) (policy, whole bool) {
	others.Services, others.EndpointSlices = nil, nil
	x.others = others
	shell, lowerer := x.facts()
	if !bytes.Equal(shell.Text(), x.shell.Text()) || lowerer.Zone != x.lowerer.Zone {
		x.whole()
		return false, true
	}
	before := x.policy
	x.policy = x.lowerPolicy()
	return !reflect.DeepEqual(before, x.policy), false
}

func (x *Incremental) lowerPolicy() ir.Policy {
	x.policies, _ = x.policies.Next(&x.others)
	var p ir.Program
	x.policies.Lower(x.node, onDeny(x.config), &p)
	p.Normalize()
	return p.Policy
}

// relower compiles the Services that differ, and those that the change takes or
// gives something.
func (x *Incremental) relower(dirty map[name]bool) Delta {
	affected := maps.Clone(dirty)
	add := func(n name) { affected[n] = true }
	before := make(map[name]*service.Interest, len(dirty))
	model := x.analyze(dirty)
	wasPod := make(map[netip.Addr]bool)
	note := func(i *service.Interest) {
		for a := range i.Addresses {
			if _, noted := wasPod[a]; !noted {
				wasPod[a] = x.common.isPod(a)
			}
		}
	}
	for n := range dirty {
		if i := x.common.interests[n]; i != nil {
			before[n] = i
			note(i)
			x.common.rivals(i, add)
		}
	}
	after := make(map[name]*service.Interest, len(dirty))
	model.Interests(x.node, func(ns, n string, i *service.Interest) {
		after[name{ns, n}] = i
		note(i)
	})
	for n := range dirty {
		x.common.remove(n)
	}
	for n, i := range after {
		x.common.add(n, i)
		x.common.rivals(i, add)
	}
	for a, was := range wasPod {
		if was != x.common.isPod(a) {
			for _, n := range x.common.at[a] {
				add(n)
			}
		}
	}
	return x.replace(affected, dirty, model)
}

// analyze reads some Services by themselves.
func (x *Incremental) analyze(names map[name]bool) *service.Model {
	var set objects.Set
	for n := range names {
		s, ok := x.services[n]
		if !ok {
			continue
		}
		set.Services = append(set.Services, s)
		for slice := range x.owned[n] {
			set.EndpointSlices = append(set.EndpointSlices, x.slices[slice])
		}
	}
	model, _ := service.Analyze(&set)
	return model
}

// replace lowers the affected Services and makes the fragments. Who gets a match
// that several claim is seen only when all who claim it are read together.
func (x *Incremental) replace(affected, dirty map[name]bool, model *service.Model) Delta {
	together := maps.Clone(affected)
	for n := range affected {
		if i := x.common.interests[n]; i != nil {
			x.common.rivals(i, func(n name) { together[n] = true })
		}
	}
	if len(together) > len(dirty) {
		model = x.analyze(together)
	}
	fresh := make(map[name]*service.Part, len(affected))
	model.Parts(x.lowerer, x.common.isPod, func(ns, n string, p *service.Part) {
		if affected[name{ns, n}] {
			fresh[name{ns, n}] = p
		}
	})
	old := make(map[name]*service.Part, len(affected))
	for n := range affected {
		if p := x.parts[n]; p != nil {
			old[n] = p
		}
		if p := fresh[n]; p != nil {
			x.parts[n] = p
		} else {
			delete(x.parts, n)
		}
	}
	return x.delta(affected, old, fresh)
}

// delta makes the fragments: what was and what is, each with the Services that
// share something with either.
func (x *Incremental) delta(affected map[name]bool, old, fresh map[name]*service.Part) Delta {
	context := make(map[name]bool)
	share := func(p *service.Part) {
		for _, pool := range p.Pools {
			for _, e := range pool.Endpoints {
				if e.Local {
					for _, n := range x.common.at[e.Address.Addr()] {
						context[n] = true
					}
				}
			}
		}
		for _, a := range p.ClusterIPs {
			for _, n := range x.common.clusterIP[a] {
				context[n] = true
			}
		}
	}
	for _, parts := range []map[name]*service.Part{old, fresh} {
		for _, p := range parts {
			share(p)
		}
	}
	for n := range context {
		if p := x.parts[n]; p != nil && !affected[n] {
			old[n], fresh[n] = p, p
		}
	}
	names := func(parts map[name]*service.Part) []name {
		return slices.SortedFunc(maps.Keys(parts), func(a, b name) int {
			return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
		})
	}
	return Delta{Before: x.fragment(old, names(old)), After: x.fragment(fresh, names(fresh))}
}
