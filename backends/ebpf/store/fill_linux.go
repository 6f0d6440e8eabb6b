package store

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Fill writes entries into maps that are empty and that no program uses yet: [Store.Switch]
// activates them.
func (s *Store) Fill(list []layout.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) > 0 {
		return fmt.Errorf("filling maps that have %d keys already", len(s.entries))
	}
	t := &transaction{Store: s}
	entries, indexes := make([]entry, len(list)), make([]uint32, len(list))
	s.entries, s.pools = make(map[layout.ServiceKey]*entry, len(list)), make(map[string]*pool, len(list))
	for i := range list {
		e := &entries[i]
		at, ok := s.indexes.take(1)
		if !ok {
			return ErrFull
		}
		var err error
		if e.record, e.pools, e.set, err = t.write(&list[i].Content); err != nil {
			return err
		}
		e.index, indexes[i] = at.at, at.at
		s.mem.words.store(e.index, uint64(settled(e.record)))
		s.entries[list[i].Key] = e
	}
	if err := insertKeys(s.maps.keys(), list, indexes); err != nil {
		return fmt.Errorf("inserting %d keys: %w", len(list), err)
	}
	return nil
}

// Diff returns the changes that make the store mean what the entries mean, which are sorted
// by key.
func (s *Store) Diff(want []layout.Entry) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Change
	known := 0
	for i := range want {
		w := &want[i]
		e := s.entries[w.Key]
		if e != nil && e.record != 0 {
			known++
			if s.means(e, &w.Content) {
				continue
			}
		}
		out = append(out, Change{w.Key, &w.Content})
	}
	return append(out, s.others(want, known)...)
}

// others takes away what is not among the entries, of which the store has known.
func (s *Store) others(want []layout.Entry, known int) (out []Change) {
	if known == len(s.entries) {
		return nil
	}
	stays := make(map[layout.ServiceKey]bool, len(want))
	for i := range want {
		stays[want[i].Key] = true
	}
	for key, e := range s.entries {
		if e.record != 0 && !stays[key] {
			out = append(out, Change{Key: key})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return a.Key.Compare(b.Key) })
	return out
}

// Means reports whether a key means this now; nil is nothing.
func (s *Store) Means(key layout.ServiceKey, c *layout.Content) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil || e.record == 0 {
		return c == nil
	}
	return c != nil && s.means(e, c)
}

// means reports whether an entry has a record of this content.
func (s *Store) means(e *entry, c *layout.Content) bool {
	have := layout.Content{Service: layout.DecodeService(s.mem.records.at(e.record))}
	for i, list := range [2][]layout.Endpoint{c.InternalPool, c.ExternalPool} {
		if !e.pools[i].has(list) {
			return false
		}
	}
	if (e.set == nil) != (len(c.SourceRanges) == 0) || e.set != nil && !slices.Equal(e.set.ranges, c.SourceRanges) {
		return false
	}
	have.InternalPool, have.ExternalPool = c.InternalPool, c.ExternalPool
	return have.Normal().Service == c.Normal().Service
}

// has reports whether a pool is these endpoints; nil is none.
func (p *pool) has(list []layout.Endpoint) bool {
	if p == nil || len(list) == 0 {
		return p == nil && len(list) == 0
	}
	if int(p.size) != len(list) {
		return false
	}
	rest := p.content
	var one [layout.EndpointSize]byte
	for i := range list {
		if b := list[i].Append(one[:0]); string(b) != rest[:layout.EndpointSize] {
			return false
		}
		rest = rest[layout.EndpointSize:]
	}
	return true
}
