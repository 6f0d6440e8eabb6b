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
	numbers nameIndex
	// names and owners go by number. A name without objects is a free number.
	names  []objects.Name
	owners []service.Owned
	free   []uint32
	// slices has the number of each slice's owner, by the slice's name.
	slices nameIndex
	// ports counts those of Services, endpoints those of slices, to make room for what is made of
	// them. Of a Service count a few: one with very many is refused.
	ports, endpoints int
}

// newStore holds the Services, imports and slices of a set.
func newStore(set *objects.Set, imports map[objects.Name]objects.Sourced[*mcs.ServiceImport]) store {
	s := store{numbers: newNameIndex(len(set.Services)), slices: newNameIndex(len(set.EndpointSlices))}
	s.begin(set.Services)
	s.putImports(nil, imports)
	// Most Services have one slice, whose list is a part of this one.
	own := slices.Clone(set.EndpointSlices)
	for i, o := range own {
		s.putSlice(o, own[i:i:i+1])
	}
	return s
}

// begin takes the first Services, of which the last one with a name counts. They get their
// numbers in the order of their names: objects that were listed together lie in memory in this
// order, and what is made in this order need not be sorted much.
func (s *store) begin(list []objects.Sourced[*corev1.Service]) {
	names := make([]objects.Name, len(list))
	for i, o := range list {
		names[i] = objects.NameOf(o.Object)
	}
	order := inOrder(names)
	if s.names = names[:0]; order != nil {
		s.names = make([]objects.Name, 0, len(list))
	}
	s.owners = make([]service.Owned, 0, len(list))
	for i := range list {
		at := i
		if order != nil {
			at = int(order[i])
		}
		if last := len(s.names) - 1; last < 0 || s.names[last] != names[at] {
			s.numbers.add(s.numbers.hash(names[at]), uint32(last+1))
			s.names, s.owners = append(s.names, names[at]), append(s.owners, service.Owned{})
		}
		owner := &s.owners[len(s.owners)-1]
		s.ports += portsOf(list[at].Object) - portsOf(owner.Service.Object)
		owner.Service = list[at]
	}
}

// inOrder returns the places of names in their order, and equal ones as they are; nil if all are
// in order.
func inOrder(names []objects.Name) []uint32 {
	if slices.IsSortedFunc(names, objects.Name.Compare) {
		return nil
	}
	order := make([]uint32, len(names))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Or(names[a].Compare(names[b]), cmp.Compare(a, b)) })
	return order
}

// number returns the number of a name, which it may get now.
func (s *store) number(n objects.Name) uint32 {
	hash := s.numbers.hash(n)
	k, known := s.at(hash, n)
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
	s.numbers.add(hash, k)
	return k
}

// find returns the number of a name.
func (s *store) find(n objects.Name) (k uint32, known bool) {
	return s.at(s.numbers.hash(n), n)
}

func (s *store) at(hash uint32, n objects.Name) (k uint32, known bool) {
	return s.numbers.find(hash, func(k uint32) bool { return s.names[k] == n })
}

// owned returns what a name stands for: nothing if it is not known.
func (s *store) owned(n objects.Name) service.Owned {
	if k, known := s.find(n); known {
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
	if k, known := s.find(n); known {
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
		if k, known := s.find(n); known {
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
	hash := s.slices.hash(n)
	if _, had := s.holder(hash, n); had {
		s.dropSlice(n)
	}
	s.slices.add(hash, k)
	owner := &s.owners[k]
	if owner.Slices == nil {
		owner.Slices, owner.Plain = room, true
	}
	owner.Plain = owner.Plain && service.Plain(o.Object)
	owner.Slices = append(owner.Slices, o)
	s.endpoints += len(o.Object.Endpoints)
}

func (s *store) dropSlice(n objects.Name) {
	hash := s.slices.hash(n)
	k, there := s.holder(hash, n)
	if !there {
		return
	}
	s.slices.remove(hash, k)
	owner := &s.owners[k]
	at := place(owner.Slices, n)
	s.endpoints -= len(owner.Slices[at].Object.Endpoints)
	if owner.Slices = slices.Delete(owner.Slices, at, at+1); len(owner.Slices) == 0 {
		owner.Slices = nil
	}
}

// ownerOf returns the name of a slice's owner.
func (s *store) ownerOf(slice objects.Name) (owner objects.Name, there bool) {
	k, there := s.holder(s.slices.hash(slice), slice)
	if !there {
		return objects.Name{}, false
	}
	return s.names[k], true
}

// holder returns the number of a slice's owner.
func (s *store) holder(hash uint32, slice objects.Name) (k uint32, there bool) {
	return s.slices.find(hash, func(k uint32) bool { return place(s.owners[k].Slices, slice) >= 0 })
}

// place is where a slice is in a list, or -1.
func place(list []objects.Sourced[*discoveryv1.EndpointSlice], n objects.Name) int {
	return slices.IndexFunc(list, func(have objects.Sourced[*discoveryv1.EndpointSlice]) bool { return objects.NameOf(have.Object) == n })
}

// tidy frees the numbers of names without objects, to which nothing may refer any more.
func (s *store) tidy(names map[objects.Name]bool) {
	for n := range names {
		k, known := s.find(n)
		if known && !s.owners[k].Exists() && len(s.owners[k].Slices) == 0 {
			s.numbers.remove(s.numbers.hash(n), k)
			s.names[k] = objects.Name{}
			s.free = append(s.free, k)
		}
	}
}
