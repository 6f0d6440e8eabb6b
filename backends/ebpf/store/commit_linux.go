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
	return s.commit(changes, s.slot)
}

// Switch is Commit, and makes a slot the active one by the same store: what programs look up
// in the maps of that slot comes with the changes.
func (s *Store) Switch(changes []Change, slot uint8) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(changes, slot)
}

func (s *Store) commit(changes []Change, slot uint8) error {
	if len(changes) > 0 {
		if err := s.know(); err != nil {
			return err
		}
	}
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
	if len(t.steps) == 0 && slot == s.slot {
		return nil
	}
	s.epoch++
	s.slot = slot
	s.mem.active.store(0, layout.ActiveValue(s.slot, s.epoch))
	s.later(t.settle)
	return nil
}

// prepare writes all changes into free memory, or none.
func (s *Store) prepare(changes []Change) (*transaction, error) {
	t := &transaction{Store: s}
	for _, c := range changes {
		if err := t.prepare(c); err != nil {
			return nil, errors.Join(err, t.undo())
		}
	}
	return t, nil
}

// await waits until no transaction is about a key of the changes, and where one is new,
// until no program holds the element of a key that is gone: the kernel uses it again at once.
func (s *Store) await(changes []Change) error {
	for _, c := range changes {
		for s.failed == nil && !s.free(c) {
			s.moved.Wait()
		}
	}
	return s.failed
}

// free reports whether a change need not wait.
func (s *Store) free(c Change) bool {
	e := s.entries[c.Key]
	if e == nil {
		return c.Service == nil || s.dropped == 0
	}
	return !e.pending
}

// transaction is the changes on their way.
type transaction struct {
	*Store
	steps []step
	// content is memory for one pool.
	content []byte
}

// step is what one key had, and has.
type step struct {
	key       layout.ServiceKey
	entry     *entry
	oldRecord uint32
	oldPools  [2]*pool
	oldSet    *set
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
	st.oldRecord, st.oldPools, st.oldSet = st.entry.record, st.entry.pools, st.entry.set
	record, pools, set, err := t.write(c.Service)
	if err != nil {
		if st.fresh {
			t.indexes.give(span{st.entry.index, 1})
		}
		return err
	}
	st.entry.record, st.entry.pools, st.entry.set, st.entry.pending = record, pools, set, true
	// The word is there before the key, so that no program follows a key to a word of
	// something else.
	t.mem.words.store(st.entry.index, uint64(wordOf(uint16(t.epoch+1), st.oldRecord, record)))
	t.steps = append(t.steps, st)
	if st.fresh {
		t.entries[c.Key] = st.entry
		if err := t.maps.keys().Update(c.Key.Append(nil), st.entry.index, ebpf.UpdateNoExist); err != nil {
			return fmt.Errorf("inserting a key: %w", err)
		}
	}
	return nil
}

// write puts a Service into free memory; nil is record 0.
func (t *transaction) write(s *layout.Content) (record uint32, pools [2]*pool, ranges *set, err error) {
	if s == nil {
		return 0, pools, nil, nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.releaseAll(pools, ranges))
			pools, ranges = [2]*pool{}, nil
		}
	}()
	for i, list := range [2][]layout.Endpoint{s.InternalPool, s.ExternalPool} {
		if pools[i], err = t.pool(list); err != nil {
			return 0, pools, nil, err
		}
	}
	if ranges, err = t.ranges(s.SourceRanges); err != nil {
		return 0, pools, ranges, err
	}
	free, ok := t.records.take(1)
	if !ok {
		return 0, pools, ranges, ErrFull
	}
	recordOf(s, pools, ranges).Append(t.mem.records.at(free.at)[:0])
	return free.at, pools, ranges, nil
}

// recordOf is the value of a Service whose pools and source ranges are in the maps.
func recordOf(s *layout.Content, pools [2]*pool, ranges *set) layout.Service {
	out := s.Service
	for i, r := range [2]*layout.Route{&out.Internal, &out.External} {
		r.Base, r.Count = 0, 0
		if pools[i] != nil {
			r.Base, r.Count = pools[i].at, pools[i].size
		}
	}
	out.Sources = 0
	if ranges != nil {
		out.Sources = ranges.number
	}
	return out
}

// pool writes endpoints, or finds those that are there already; none are nil.
func (t *transaction) pool(list []layout.Endpoint) (*pool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	t.content = t.content[:0]
	for i := range list {
		t.content = list[i].Append(t.content)
	}
	p := t.pools[string(t.content)]
	if p == nil {
		at, ok := t.places.take(uint32(len(list)))
		if !ok {
			return nil, ErrFull
		}
		p = &pool{span: at, content: string(t.content)}
		t.pools[p.content] = p
		copy(t.mem.places.data[int(at.at)*int(t.mem.places.stride):], t.content)
	}
	p.users++
	return p, nil
}

// releaseAll gives what a record used back.
func (s *Store) releaseAll(pools [2]*pool, ranges *set) error {
	for _, p := range pools {
		s.release(p)
	}
	return s.releaseSet(ranges)
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
func (t *transaction) undo() error {
	var errs []error
	for _, st := range t.steps {
		t.mem.words.store(st.entry.index, uint64(settled(st.oldRecord)))
		if st.entry.record != 0 {
			t.records.give(span{st.entry.record, 1})
		}
		errs = append(errs, t.releaseAll(st.entry.pools, st.entry.set))
		st.entry.record, st.entry.pools, st.entry.set, st.entry.pending = st.oldRecord, st.oldPools, st.oldSet, st.fresh
		if st.fresh {
			t.later(func() error { return t.drop(st) })
		}
	}
	return errors.Join(errs...)
}

// settle ends a transaction after its grace period: no program takes what was before.
func (t *transaction) settle() error {
	var errs []error
	for _, st := range t.steps {
		t.mem.words.store(st.entry.index, uint64(settled(st.entry.record)))
		if st.oldRecord != 0 {
			t.records.give(span{st.oldRecord, 1})
		}
		errs = append(errs, t.releaseAll(st.oldPools, st.oldSet))
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
	if err := t.maps.keys().Delete(st.key.Append(nil)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("deleting a key: %w", err)
	}
	t.dropped++
	t.later(func() error {
		t.dropped--
		t.indexes.give(span{st.entry.index, 1})
		delete(t.entries, st.key)
		return nil
	})
	return nil
}
