package compiler

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir/diag"
)

// past is the state of some Services before an update. Only objects are kept;
// the previous state is lowered again from them on demand.
type past struct {
	objects   map[objects.Name]service.Owned
	interests map[objects.Name]*service.Interest
	// pod tells for the addresses of the update whether they belonged to pods of
	// this node.
	pod map[netip.Addr]bool
	// held tells for the same addresses whether an endpoint had them.
	held map[netip.Addr]bool
}

func (x *Incremental) past(names map[objects.Name]bool) *past {
	p := &past{objects: make(map[objects.Name]service.Owned, len(names)), pod: make(map[netip.Addr]bool), held: make(map[netip.Addr]bool)}
	for n := range names {
		o := x.store.owned(n)
		o.Slices = slices.Clone(o.Slices) // the update changes the list
		p.objects[n] = o
	}
	model, _ := x.analyze(names, nil)
	p.interests = x.interests(model)
	return p
}

func (x *Incremental) interests(m *service.Model) map[objects.Name]*service.Interest {
	out := make(map[objects.Name]*service.Interest)
	m.Interests(x.node, func(n objects.Name, i service.Interest) { out[n] = &i })
	return out
}

// analyze reads some Services by themselves, in their current or previous state.
func (x *Incremental) analyze(names map[objects.Name]bool, before *past) (*service.Model, diag.List) {
	list := make([]service.Owned, 0, len(names))
	for n := range names {
		if before != nil {
			if o, was := before.objects[n]; was {
				list = append(list, o)
				continue
			}
		}
		list = append(list, x.store.owned(n))
	}
	return service.AnalyzeOwned(list, service.SettingsOf(&x.config))
}

// relower compiles the Services that differ, and those that gain or lose
// something by the change, in both states.
func (x *Incremental) relower(dirty map[objects.Name]bool, before *past) Delta {
	affected := maps.Clone(dirty)
	add := func(n objects.Name) { affected[n] = true }
	model, _ := x.analyze(dirty, nil)
	now := x.interests(model)
	for _, interests := range []map[objects.Name]*service.Interest{before.interests, now} {
		for _, i := range interests {
			for _, p := range i.Endpoints {
				before.pod[p.Address] = x.common.isPod(p.Address)
				before.held[p.Address] = x.common.hasEndpoint(p.Address)
			}
		}
	}
	for n := range dirty {
		x.common.moved(before.interests[n], now[n], add)
	}
	for n, i := range before.interests {
		x.common.remove(n, i)
	}
	for n, i := range now {
		x.common.add(n, i)
	}
	for a, was := range before.pod {
		if was != x.common.isPod(a) {
			x.common.neighbours(a, add)
		}
	}
	for a, was := range before.held {
		if was != x.common.hasEndpoint(a) {
			x.common.listing(a, add)
		}
	}
	old, fresh := x.parts(affected, before), x.parts(affected, nil)
	x.addContext(affected, old, fresh)
	return Delta{Before: x.fragment(old), After: x.fragment(fresh)}
}

// parts lowers some Services, in their current or previous state. To find the
// owner of a match with several claimers, all must be read together: the current
// and the previous ones.
func (x *Incremental) parts(names map[objects.Name]bool, before *past) map[objects.Name]*service.Part {
	model, diags := x.analyze(names, before)
	together := maps.Clone(names)
	for _, i := range x.interests(model) {
		x.common.rivals(i, func(n objects.Name) { together[n] = true })
	}
	isPod, held := x.common.isPod, x.common.hasEndpoint
	if before != nil {
		for n := range before.objects {
			together[n] = true
		}
		isPod = func(a netip.Addr) bool {
			if was, noted := before.pod[a]; noted {
				return was
			}
			return x.common.isPod(a)
		}
		held = func(a netip.Addr) bool {
			if was, noted := before.held[a]; noted {
				return was
			}
			return x.common.hasEndpoint(a)
		}
	}
	if len(together) > len(names) {
		model, diags = x.analyze(together, before)
	}
	if before == nil {
		x.sayServices(names, slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return !names[x.concerned(d)] }))
	}
	out := make(map[objects.Name]*service.Part, len(names))
	model.Parts(x.lowerer, isPod, func(n objects.Name, p *service.Part) {
		if names[n] {
			markElsewhere(p.Frontends, x.lowerer.Addresses, x.otherNodes, held)
			out[n] = p
		}
	})
	return out
}

// addContext adds the unchanged Services that share something with one of the
// parts to both lists.
func (x *Incremental) addContext(affected map[objects.Name]bool, old, fresh map[objects.Name]*service.Part) {
	context := make(map[objects.Name]bool)
	add := func(n objects.Name) {
		if !affected[n] {
			context[n] = true
		}
	}
	for _, parts := range []map[objects.Name]*service.Part{old, fresh} {
		for _, p := range parts {
			x.sharing(p, add)
		}
	}
	if len(context) == 0 {
		return
	}
	for n, p := range x.parts(context, nil) {
		old[n], fresh[n] = p, p
	}
}

// sharing yields the Services that share an endpoint of this node or a
// ClusterIP with the part.
func (x *Incremental) sharing(p *service.Part, yield func(objects.Name)) {
	for _, pool := range p.Pools {
		for _, e := range pool.Endpoints {
			if e.Local {
				x.common.neighbours(e.Address.Addr(), yield)
			}
		}
	}
	for _, a := range p.ClusterIPs {
		x.common.owners(a, yield)
	}
}
