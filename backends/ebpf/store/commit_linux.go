package store

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Commit makes all changes at once: a program sees all of them or none. Each key is in
// the list once. When it returns an error, nothing has changed for programs.
func (s *Store) Commit(changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.await(changes); err != nil {
		return err
	}
	t, err := s.prepare(changes)
	if errors.Is(err, ErrFull) {
		// What transactions before leave may be room enough.
		if err := errors.Join(s.settleLocked(), s.await(changes)); err != nil {
			return err
		}
		t, err = s.prepare(changes)
	}
	if err != nil {
		return err
	}
	if len(t.steps) == 0 {
		return nil
	}
	s.epoch++
	s.mem.active.store(0, activeOf(s.epoch, s.slot))
	s.garbage = append(s.garbage, t.settle)
	s.moved.Broadcast()
	return nil
}

// prepare writes all changes into free memory, or none.
func (s *Store) prepare(changes []Change) (*transaction, error) {
	t := &transaction{Store: s}
	for _, c := range changes {
		if err := t.prepare(c); err != nil {
			t.undo()
			return nil, err
		}
	}
	return t, nil
}

// await waits until no transaction is about a key of the changes.
func (s *Store) await(changes []Change) error {
	for _, c := range changes {
		for e := s.entries[c.Key]; e != nil && e.pending; e = s.entries[c.Key] {
			if s.failed != nil {
				return s.failed
			}
			s.moved.Wait()
		}
	}
	return s.failed
}

// transaction is the changes on their way.
type transaction struct {
	*Store
	steps []step
}

// step is what one key had, and has.
type step struct {
	key       layout.ServiceKey
	entry     *entry
	oldRecord uint32
	oldPools  [2]*pool
	fresh     bool // whether the key is new in the hash
}

// prepare writes one change into free memory, and the word that names it.
func (t *transaction) prepare(c Change) error {
	e := t.entries[c.Key]
	if e == nil && c.Service == nil {
		return nil
	}
	st := step{key: c.Key, entry: e, fresh: e == nil}
	if st.fresh {
		index, ok := t.indexes.take(1)
		if !ok {
			return ErrFull
		}
		st.entry = &entry{index: index.at}
	}
	st.oldRecord, st.oldPools = st.entry.record, st.entry.pools
	record, pools, err := t.write(c.Service)
	if err != nil {
		if st.fresh {
			t.indexes.give(span{st.entry.index, 1})
		}
		return err
	}
	st.entry.record, st.entry.pools, st.entry.pending = record, pools, true
	// The word is there before the key, so that no program follows a key to a word of
	// something else.
	t.mem.words.store(st.entry.index, uint64(wordOf(uint16(t.epoch+1), st.oldRecord, record)))
	t.steps = append(t.steps, st)
	if st.fresh {
		t.entries[c.Key] = st.entry
		if err := t.maps.Keys.Update(c.Key.Append(nil), st.entry.index, ebpf.UpdateNoExist); err != nil {
			return fmt.Errorf("inserting a key: %w", err)
		}
	}
	return nil
}

// write puts a Service into free memory; nil is record 0.
func (t *transaction) write(s *Service) (uint32, [2]*pool, error) {
	if s == nil {
		return 0, [2]*pool{}, nil
	}
	var pools [2]*pool
	give := func() {
		for _, p := range pools {
			t.release(p)
		}
	}
	for i, list := range [2][]layout.Endpoint{s.InternalPool, s.ExternalPool} {
		p, err := t.pool(list)
		if err != nil {
			give()
			return 0, pools, err
		}
		pools[i] = p
	}
	record, ok := t.records.take(1)
	if !ok {
		give()
		return 0, pools, ErrFull
	}
	out := s.Service
	for i, r := range [2]*layout.Route{&out.Internal, &out.External} {
		r.Base, r.Count = 0, 0
		if pools[i] != nil {
			r.Base, r.Count = pools[i].at, pools[i].size
		}
	}
	copy(t.mem.records.at(record.at), out.Append(nil))
	return record.at, pools, nil
}

// pool writes endpoints, or finds those that are there already; none are nil.
func (t *transaction) pool(list []layout.Endpoint) (*pool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var content []byte
	for _, e := range list {
		content = e.Append(content)
	}
	p := t.pools[string(content)]
	if p == nil {
		at, ok := t.places.take(uint32(len(list)))
		if !ok {
			return nil, ErrFull
		}
		p = &pool{span: at, content: string(content)}
		t.pools[p.content] = p
		copy(t.mem.places.data[int(at.at)*int(t.mem.places.stride):], content)
	}
	p.users++
	return p, nil
}

// release gives a use of a pool back.
func (s *Store) release(p *pool) {
	if p == nil {
		return
	}
	if p.users--; p.users == 0 {
		delete(s.pools, p.content)
		s.places.give(p.span)
	}
}

// undo takes a transaction back that is not committed: its words still mean what was
// before. Keys that are new are deleted after a grace period.
func (t *transaction) undo() {
	for _, st := range t.steps {
		t.mem.words.store(st.entry.index, uint64(settled(st.oldRecord)))
		if st.entry.record != 0 {
			t.records.give(span{st.entry.record, 1})
		}
		for _, p := range st.entry.pools {
			t.release(p)
		}
		st.entry.record, st.entry.pools, st.entry.pending = st.oldRecord, st.oldPools, st.fresh
		if st.fresh {
			t.garbage = append(t.garbage, func() error { return t.drop(st) })
			t.moved.Broadcast()
		}
	}
}

// settle ends a transaction after its grace period: no program takes what was before.
func (t *transaction) settle() error {
	var errs []error
	for _, st := range t.steps {
		t.mem.words.store(st.entry.index, uint64(settled(st.entry.record)))
		if st.oldRecord != 0 {
			t.records.give(span{st.oldRecord, 1})
		}
		for _, p := range st.oldPools {
			t.release(p)
		}
		if st.entry.record == 0 {
			errs = append(errs, t.drop(st))
			continue
		}
		st.entry.pending = false
	}
	return errors.Join(errs...)
}

// drop deletes the key of a Service that is gone. Its index can be used again after one
// more grace period: a program may have found the element.
func (t *transaction) drop(st step) error {
	if err := t.maps.Keys.Delete(st.key.Append(nil)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("deleting a key: %w", err)
	}
	t.garbage = append(t.garbage, func() error {
		t.indexes.give(span{st.entry.index, 1})
		delete(t.entries, st.key)
		return nil
	})
	t.moved.Broadcast()
	return nil
}
