package compiler

import (
	"cmp"
	"iter"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/compiler/service"
)

// store holds the Services and ServiceImports with their slices. It gives each name a number,
// by which everything else refers to it: a cluster has as many entries elsewhere as it has
// endpoints.
type store struct {
	// numbers has all names with something in owners, and those of [store.tidy]'s next call.
	numbers map[objects.Name]uint32
	// names and owners go by number. A name without objects is a free number.
	names  []objects.Name
	owners []service.Owned
	free   []uint32
	// slices has the number of each slice's owner.
	slices map[objects.Name]uint32
	// ports counts those of Services, endpoints those of slices, to make room for what is made of
	// them. Of a Service count a few: one with very many is refused.
	ports, endpoints int
}

// newStore holds the Services, imports and slices of a set.
func newStore(set *objects.Set, imports map[objects.Name]objects.Sourced[*mcs.ServiceImport]) store {
	s := store{
		numbers: make(map[objects.Name]uint32, len(set.Services)), slices: make(map[objects.Name]uint32, len(set.EndpointSlices)),
		names: make([]objects.Name, 0, len(set.Services)), owners: make([]service.Owned, 0, len(set.Services)),
	}
	for _, i := range byName(set.Services) {
		s.putService(set.Services[i])
	}
	s.putImports(nil, imports)
	// Most Services have one slice, whose list is a part of this one.
	own := slices.Clone(set.EndpointSlices)
	for i, o := range own {
		s.putSlice(o, own[i:i:i+1])
	}
	return s
}

// byName returns the places of objects in the order of their names. Objects that were listed
// together lie in memory in this order, and what is made in this order need not be sorted much.
func byName[T objects.Meta](list []objects.Sourced[T]) []int {
	names, order := make([]objects.Name, len(list)), make([]int, len(list))
	for i, o := range list {
		names[i], order[i] = objects.NameOf(o.Object), i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(names[a].Compare(names[b]), cmp.Compare(a, b)) })
	return order
}

// number returns the number of a name, which it may get now.
func (s *store) number(n objects.Name) uint32 {
	k, known := s.numbers[n]
	if known {
		return k
	}
	if last := len(s.free) - 1; last >= 0 {
		k, s.free = s.free[last], s.free[:last]
		s.names[k] = n
	} else {
		k = uint32(len(s.names))
		s.names, s.owners = append(s.names, n), append(s.owners, service.Owned{})
	}
	s.numbers[n] = k
	return k
}

// owned returns what a name stands for: nothing if it is not known.
func (s *store) owned(n objects.Name) service.Owned {
	if k, known := s.numbers[n]; known {
		return s.owners[k]
	}
	return service.Owned{}
}

// all yields the Services and imports by number. Slices alone are none.
func (s *store) all() iter.Seq2[uint32, *service.Owned] {
	return func(yield func(uint32, *service.Owned) bool) {
		for k := range s.owners {
			if o := &s.owners[k]; o.Exists() && !yield(uint32(k), o) {
				return
			}
		}
	}
}

// sorted lists all Services and slices by name.
func (s *store) sorted() (services []objects.Sourced[*corev1.Service], endpoints []objects.Sourced[*discoveryv1.EndpointSlice]) {
	for i := range s.owners {
		o := &s.owners[i]
		if o.Service.Object != nil {
			services = append(services, o.Service)
		}
		endpoints = append(endpoints, o.Slices...)
	}
	slices.SortFunc(services, compareNames[*corev1.Service])
	slices.SortFunc(endpoints, compareNames[*discoveryv1.EndpointSlice])
	return services, endpoints
}

func compareNames[T objects.Meta](a, b objects.Sourced[T]) int {
	return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object))
}

func (s *store) putService(o objects.Sourced[*corev1.Service]) {
	owner := &s.owners[s.number(objects.NameOf(o.Object))]
	s.ports += portsOf(o.Object) - portsOf(owner.Service.Object)
	owner.Service = o
}

func (s *store) dropService(n objects.Name) {
	if k, known := s.numbers[n]; known {
		s.ports -= portsOf(s.owners[k].Service.Object)
		s.owners[k].Service = objects.Sourced[*corev1.Service]{}
	}
}

func portsOf(o *corev1.Service) int {
	const few = 64
	if o == nil {
		return 0
	}
	return min(len(o.Spec.Ports), few)
}

// putImports replaces imports, which are by [objects.ImportName].
func (s *store) putImports(before, after map[objects.Name]objects.Sourced[*mcs.ServiceImport]) {
	for n := range before {
		if k, known := s.numbers[n]; known {
			s.owners[k].Import = nil
		}
	}
	for n, o := range after {
		s.owners[s.number(n)].Import = &o
	}
}

// putSlice adds a slice or replaces it. An owner without slices begins its list in room.
func (s *store) putSlice(o objects.Sourced[*discoveryv1.EndpointSlice], room []objects.Sourced[*discoveryv1.EndpointSlice]) {
	n, k := objects.NameOf(o.Object), s.number(objects.OwnerOf(o.Object))
	if _, had := s.slices[n]; had {
		s.dropSlice(n)
	}
	s.slices[n] = k
	owner := &s.owners[k]
	if owner.Slices == nil {
		owner.Slices = room
	}
	owner.Slices = append(owner.Slices, o)
	s.endpoints += len(o.Object.Endpoints)
}

func (s *store) dropSlice(n objects.Name) {
	k, there := s.slices[n]
	if !there {
		return
	}
	delete(s.slices, n)
	owner := &s.owners[k]
	at := slices.IndexFunc(owner.Slices, func(have objects.Sourced[*discoveryv1.EndpointSlice]) bool { return objects.NameOf(have.Object) == n })
	s.endpoints -= len(owner.Slices[at].Object.Endpoints)
	if owner.Slices = slices.Delete(owner.Slices, at, at+1); len(owner.Slices) == 0 {
		owner.Slices = nil
	}
}

// ownerOf returns the name of a slice's owner.
func (s *store) ownerOf(slice objects.Name) (owner objects.Name, there bool) {
	k, there := s.slices[slice]
	if !there {
		return objects.Name{}, false
	}
	return s.names[k], true
}

// tidy frees the numbers of names without objects, to which nothing may refer any more.
func (s *store) tidy(names map[objects.Name]bool) {
	for n := range names {
		k, known := s.numbers[n]
		if known && !s.owners[k].Exists() && len(s.owners[k].Slices) == 0 {
			delete(s.numbers, n)
			s.names[k] = objects.Name{}
			s.free = append(s.free, k)
		}
	}
}
