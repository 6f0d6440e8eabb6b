package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Whole is all Services, in the form of an image's maps: [layout.Services], [layout.Endpoints] and
// [layout.Sources]. Routes and sets of source ranges are numbered as there, and pools are where they
// are there.
type Whole struct{ Services, Endpoints, Sources []byte }

// Fill writes all Services into maps that are empty and that no program uses yet: [Store.Switch]
// activates them. What is where it reads from the maps, once a change needs it.
func (s *Store) Fill(w Whole) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, err := s.maps.keys().NextKeyBytes(nil); key != nil || err != nil {
		return errors.Join(errors.New("filling maps that have keys already"), err)
	}
	const size = layout.ServiceKeySize + layout.ServiceSize
	n := len(w.Services) / size
	// Record 0 is none. The memory of an array ends with its page, behind its last entry.
	if n > int(s.mem.words.entries) || n >= int(min(s.mem.records.entries, maxRecords)) || len(w.Endpoints)/layout.EndpointSize > int(s.mem.places.entries) {
		return ErrFull
	}
	s.unread = true
	copy(s.mem.places.data, w.Endpoints)
	keys, indexes := make([][layout.ServiceKeySize]byte, n), make([]uint32, n)
	for i := range n {
		entry := w.Services[i*size:][:size]
		indexes[i] = uint32(i)
		copy(keys[i][:], entry)
		copy(s.mem.records.at(uint32(i+1)), entry[layout.ServiceKeySize:])
		s.mem.words.store(uint32(i), uint64(settled(uint32(i+1))))
	}
	if err := s.fillSources(w.Sources); err != nil {
		return err
	}
	if err := insertKeys(s.maps.keys(), keys, indexes); err != nil {
		return fmt.Errorf("inserting %d keys: %w", n, err)
	}
	return nil
}

// fillSources inserts the entries of all sets of source ranges.
func (s *Store) fillSources(entries []byte) error {
	const size = layout.PrefixKeySize + layout.FlagsSize
	for ; len(entries) >= size; entries = entries[size:] {
		err := s.maps.sources().Update(entries[:layout.PrefixKeySize], entries[layout.PrefixKeySize:size], ebpf.UpdateNoExist)
		if full(err) {
			return errors.Join(ErrFull, err)
		}
		if err != nil {
			return fmt.Errorf("inserting the source range %v: %w", layout.DecodePrefixKey(entries).Prefix(), err)
		}
	}
	return nil
}

// know reads what [Store.Fill] wrote without keeping it in mind.
func (s *Store) know() error {
	if s.unread && s.failed == nil {
		s.unread = false
		if err := s.recover(); err != nil {
			s.failed = fmt.Errorf("reading the Services of the maps: %w", err)
		}
	}
	return s.failed
}

// Diff returns the changes that make the store mean what the entries mean, which are sorted
// by key. If the store cannot be read, that is none: a commit has the error.
func (s *Store) Diff(want []layout.Entry) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.know() != nil {
		return nil
	}
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
	if s.know() != nil {
		return false
	}
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
