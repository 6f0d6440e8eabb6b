package store

import (
	"errors"
	"fmt"

	"github.com/planec/planec/backends/ebpf/layout"
)

// recover reads what the maps have. A word whose transaction was not committed goes back
// to what was before, one whose transaction was goes on to what is now; what no word names
// is free.
func (s *Store) recover() error {
	active := s.mem.active.load(0)
	s.slot, s.epoch = layout.ActiveParts(active)
	s.pools, s.sets = make(map[string]*pool), make(map[string]*set)
	if err := s.readKeys(); err != nil {
		return err
	}
	committed := false
	for _, e := range s.entries {
		w := word(s.mem.words.load(e.index))
		e.record = w.at(s.epoch)
		if e.record == w.before() {
			// Every program takes this record already.
			s.mem.words.store(e.index, uint64(settled(e.record)))
		} else {
			committed = true
		}
	}
	if !committed {
		return s.readRecords()
	}
	// A program that has begun before the commit may still take what was before.
	if err := s.grace(); err != nil {
		return err
	}
	for _, e := range s.entries {
		s.mem.words.store(e.index, uint64(settled(e.record)))
	}
	return s.readRecords()
}

// readKeys lists the hash.
func (s *Store) readKeys() error {
	list, err := readKeys(s.maps.keys(), s.mem.words.entries)
	if err != nil {
		return err
	}
	entries := make([]entry, len(list))
	s.entries = make(map[layout.ServiceKey]*entry, len(list))
	for i, k := range list {
		entries[i].index = k.index
		s.entries[k.key] = &entries[i]
	}
	return nil
}

// readRecords follows every key to its record and its pools, and finds what is free. Keys
// without a record are of a transaction that did not come to its end: they go.
func (s *Store) readRecords() error {
	var indexes, records, places, numbers []span
	var gone []step
	found, err := readSets(s.maps)
	if err != nil {
		return err
	}
	for key, e := range s.entries {
		indexes = append(indexes, span{e.index, 1})
		if e.record == 0 {
			e.pending = true
			gone = append(gone, step{key: key, entry: e})
			continue
		}
		if e.record >= s.mem.records.entries {
			return fmt.Errorf("key %v has record %d of %d", key, e.record, s.mem.records.entries)
		}
		records = append(records, span{e.record, 1})
		record := layout.DecodeService(s.mem.records.at(e.record))
		if record.Sources != 0 {
			if e.set = found[record.Sources]; e.set == nil {
				return fmt.Errorf("key %v: set %d of source ranges is empty", key, record.Sources)
			}
			e.set.users++
		}
		for i, r := range routesOf(record) {
			p, fresh, err := s.readPool(r)
			if err != nil {
				return fmt.Errorf("key %v: %w", key, err)
			}
			e.pools[i] = p
			if fresh {
				places = append(places, r)
			}
		}
	}
	s.indexes = newSpace(0, s.mem.words.entries, indexes)
	s.records = newSpace(1, min(s.mem.records.entries, maxRecords), records)
	s.places = newSpace(0, s.mem.places.entries, places)
	var errs []error
	for number, x := range found {
		numbers = append(numbers, span{number, 1})
		if x.users > 0 {
			s.sets[x.content] = x
		}
	}
	s.numbers = newSpace(layout.FirstSourceSet, layout.FirstSourceSet+maxSets, numbers)
	for _, x := range found {
		if x.users == 0 { // of a transaction that did not come to its end
			x.users = 1
			errs = append(errs, s.releaseSet(x))
		}
	}
	t := &transaction{Store: s}
	for _, st := range gone {
		errs = append(errs, t.drop(st))
	}
	return errors.Join(errs...)
}

// readPool finds the pool at a span, and whether it was not known yet.
func (s *Store) readPool(r span) (p *pool, fresh bool, err error) {
	if r.size == 0 {
		return nil, false, nil
	}
	if err := s.mem.places.holds(r); err != nil {
		return nil, false, err
	}
	stride := int(s.mem.places.stride)
	content := string(s.mem.places.data[int(r.at)*stride:][:int(r.size)*stride])
	if p = s.pools[content]; p == nil {
		p, fresh = &pool{span: r, content: content}, true
		s.pools[content] = p
	} else if p.span != r {
		// Equal pools at two places: a writer that was killed between two transactions
		// left none, so each has its own until one goes.
		p, fresh = &pool{span: r, content: fmt.Sprintf("%s at %d", content, r.at)}, true
		if known := s.pools[p.content]; known != nil {
			p, fresh = known, false
		}
		s.pools[p.content] = p
	}
	p.users++
	return p, fresh, nil
}
