package store

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Read returns what every key means for programs that begin now, sorted by key, without a
// change. No process may change the maps meanwhile.
func Read(maps *Maps) ([]layout.Entry, error) {
	mem, err := mapAll(maps, unix.PROT_READ)
	if err != nil {
		return nil, err
	}
	var active uint64
	if err := maps.Active.Lookup(uint32(0), &active); err != nil {
		return nil, errors.Join(fmt.Errorf("map active: %w", err), mem.close())
	}
	out, err := read(maps, &mem, active)
	return out, errors.Join(err, mem.close())
}

// Record is what a key means, as the maps have it.
type Record struct {
	Key layout.ServiceKey
	// Service has the positions of the maps.
	Service layout.Service
	// Pools are the endpoints of the internal and the external route as [layout.Endpoint.Append]
	// writes them, in the memory of the maps: they are for the call alone that gets them.
	Pools [2][]byte
	// SourceRanges are sorted by address.
	SourceRanges []netip.Prefix
}

// Walk calls yield with what every key means for programs that begin now, in any order, until
// it returns false. No process may change the maps meanwhile.
func Walk(maps *Maps, yield func(*Record) bool) error {
	mem, err := mapAll(maps, unix.PROT_READ)
	if err != nil {
		return err
	}
	var active uint64
	if err := maps.Active.Lookup(uint32(0), &active); err != nil {
		return errors.Join(fmt.Errorf("map active: %w", err), mem.close())
	}
	keys, err := readKeys(maps.keys(), mem.words.entries)
	if err != nil {
		return errors.Join(err, mem.close())
	}
	return errors.Join(walk(maps, &mem, active, keys, yield), mem.close())
}

func walk(maps *Maps, mem *memories, active uint64, keys []keyIndex, yield func(*Record) bool) error {
	sets, err := readSets(maps)
	if err != nil {
		return err
	}
	_, epoch := layout.ActiveParts(active)
	var r Record
	for _, k := range keys {
		at := word(mem.words.load(k.index)).at(epoch)
		if at == 0 {
			continue
		}
		if r, err = mem.record(at, sets); err != nil {
			return fmt.Errorf("key %v: %w", k.key, err)
		}
		if r.Key = k.key; !yield(&r) {
			return nil
		}
	}
	return nil
}

// record reads a record with its pools and its source ranges.
func (m *memories) record(at uint32, sets map[uint32]*set) (r Record, err error) {
	if at >= m.records.entries {
		return r, fmt.Errorf("record %d of %d", at, m.records.entries)
	}
	r.Service = layout.DecodeService(m.records.at(at))
	if n := r.Service.Sources; n != 0 {
		if sets[n] == nil || len(sets[n].ranges) == 0 {
			return r, fmt.Errorf("set %d of source ranges is empty", n)
		}
		r.SourceRanges = sets[n].ranges
	}
	for i, pool := range routesOf(r.Service) {
		if pool.size == 0 {
			continue
		}
		if err := m.places.holds(pool); err != nil {
			return r, err
		}
		stride := int(m.places.stride)
		r.Pools[i] = m.places.data[int(pool.at)*stride:][:int(pool.size)*stride]
	}
	return r, nil
}

func read(maps *Maps, mem *memories, active uint64) (out []layout.Entry, err error) {
	keys, err := readKeys(maps.keys(), mem.words.entries)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(keys, func(a, b keyIndex) int { return a.key.Compare(b.key) })
	pools := make(map[span][]layout.Endpoint)
	err = walk(maps, mem, active, keys, func(r *Record) bool {
		c := layout.Content{Service: r.Service, SourceRanges: r.SourceRanges}
		lists := [2]*[]layout.Endpoint{&c.InternalPool, &c.ExternalPool}
		for i, at := range routesOf(r.Service) {
			*lists[i] = poolAt(pools, at, r.Pools[i])
		}
		out = append(out, layout.Entry{Key: r.Key, Content: c.Normal()})
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// poolAt decodes a pool; records of one pool share its endpoints.
func poolAt(known map[span][]layout.Endpoint, at span, content []byte) []layout.Endpoint {
	if at.size == 0 {
		return nil
	}
	list := known[at]
	if list == nil {
		list = make([]layout.Endpoint, at.size)
		for i := range list {
			list[i] = layout.DecodeEndpoint(content[i*layout.EndpointSize:])
		}
		known[at] = list
	}
	return list
}

// holds reports a pool that is not in the array.
func (m memory) holds(at span) error {
	if uint64(at.at)+uint64(at.size) > uint64(m.entries) {
		return fmt.Errorf("its pool is %d endpoints from %d, of %d", at.size, at.at, m.entries)
	}
	return nil
}

// Entries returns what every key means, as programs see it that begin now, sorted by key.
func (s *Store) Entries() ([]layout.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read(s.maps, &s.mem, s.mem.active.load(0))
}

// Walk is [Walk] of what programs see that begin now.
func (s *Store) Walk(yield func(*Record) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, err := readKeys(s.maps.keys(), s.mem.words.entries)
	if err != nil {
		return err
	}
	return walk(s.maps, &s.mem, s.mem.active.load(0), keys, yield)
}
