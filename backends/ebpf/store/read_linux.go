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

func read(maps *Maps, mem *memories, active uint64) ([]layout.Entry, error) {
	keys, err := readKeys(maps.keys(), mem.words.entries)
	if err != nil {
		return nil, err
	}
	sets, err := readSets(maps)
	if err != nil {
		return nil, err
	}
	_, epoch := layout.ActiveParts(active)
	r := reader{mem: mem, ranges: make(map[uint32][]netip.Prefix, len(sets)), pools: make(map[span][]layout.Endpoint, len(keys))}
	for number, x := range sets {
		r.ranges[number] = x.ranges
	}
	slices.SortFunc(keys, func(a, b keyIndex) int { return a.key.Compare(b.key) })
	out := make([]layout.Entry, 0, len(keys))
	for _, k := range keys {
		record := word(mem.words.load(k.index)).at(epoch)
		if record == 0 {
			continue
		}
		c, err := r.content(record)
		if err != nil {
			return nil, fmt.Errorf("key %v: %w", k.key, err)
		}
		out = append(out, layout.Entry{Key: k.key, Content: c})
	}
	return out, nil
}

// reader decodes records; records of one pool share its endpoints.
type reader struct {
	mem    *memories
	ranges map[uint32][]netip.Prefix
	pools  map[span][]layout.Endpoint
}

func (r *reader) content(record uint32) (layout.Content, error) {
	var c layout.Content
	if record >= r.mem.records.entries {
		return c, fmt.Errorf("record %d of %d", record, r.mem.records.entries)
	}
	c.Service = layout.DecodeService(r.mem.records.at(record))
	if c.Sources != 0 {
		if c.SourceRanges = r.ranges[c.Sources]; c.SourceRanges == nil {
			return c, fmt.Errorf("set %d of source ranges is empty", c.Sources)
		}
	}
	for i, at := range routesOf(c.Service) {
		list, err := r.pool(at)
		if err != nil {
			return c, err
		}
		*[2]*[]layout.Endpoint{&c.InternalPool, &c.ExternalPool}[i] = list
	}
	return c.Normal(), nil
}

func (r *reader) pool(at span) ([]layout.Endpoint, error) {
	if at.size == 0 {
		return nil, nil
	}
	if err := r.mem.places.holds(at); err != nil {
		return nil, err
	}
	list, known := r.pools[at]
	if !known {
		list = make([]layout.Endpoint, at.size)
		for i := range list {
			list[i] = layout.DecodeEndpoint(r.mem.places.at(at.at + uint32(i)))
		}
		r.pools[at] = list
	}
	return list, nil
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
