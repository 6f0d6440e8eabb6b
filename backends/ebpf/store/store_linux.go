package store

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Maps are the maps of one generation, and the one that says which generation and epoch
// programs use.
type Maps struct {
	Active *ebpf.Map // array of one u64, mmapable
	// Stored are those of layout.StoreMaps.
	Stored [layout.NumStoreMaps]*ebpf.Map
	// Wait waits until every program has ended that has begun before; nil is membarrier(2).
	Wait func() error
}

// Change is a key with what it should mean; nil takes it away.
type Change struct {
	Key     layout.ServiceKey
	Service *layout.Content
}

// ErrFull says that a transaction has no room in this generation: a larger one must take
// its place.
var ErrFull = errors.New("the maps of this generation are full")

// Store writes one generation. It is safe for concurrent use; processes must take turns.
type Store struct {
	maps *Maps
	mem  memories

	mu    sync.Mutex
	moved *sync.Cond // something was settled, or is to be reclaimed
	epoch uint64
	slot  uint8
	// unread says that nothing is known yet of what the maps have: entries and all that follows.
	unread bool
	// entries are the keys that are in the hash.
	entries map[layout.ServiceKey]*entry
	pools   map[string]*pool
	indexes *space
	records *space
	places  *space
	// sets are lists of source ranges, by content, and numbers which numbers are free.
	sets    map[string]*set
	numbers *space
	// garbage is what can be done after the next grace period, and waiting how much is not
	// done yet. dropped are the keys of which a program may still hold the element.
	garbage          []func() error
	waiting, dropped int
	closing          bool
	done             chan struct{}
	failed           error
	// grace waits for programs to end; tests leave it out.
	grace func() error
}

// entry is a key of the hash.
type entry struct {
	index  uint32
	record uint32 // the newest; 0 is none
	// pools are those of the record, nil where a route has none.
	pools [2]*pool
	set   *set // nil where every source is served
	// pending is whether a transaction about the key is not settled yet.
	pending bool
}

// pool is endpoints that records share.
type pool struct {
	span
	content string
	users   int
}

// Open maps a generation and mends what a writer left that was killed. It changes active, so that a
// writer that has the maps open since before sees it, whatever becomes of this one.
func Open(maps *Maps) (*Store, error) {
	return begin(maps, func(s *Store) error {
		if err := s.recover(); err != nil {
			return err
		}
		s.turn()
		return nil
	})
}

// turn begins an epoch that changes nothing. Without it, a writer that is killed before its commit
// would leave words of the epoch after this one, which the next commit of a writer that does not
// know of them would make true.
func (s *Store) turn() {
	s.epoch++
	s.mem.active.store(0, layout.ActiveValue(s.slot, s.epoch))
}

// Create maps a new generation, whose maps are empty, for [Store.Fill].
func Create(maps *Maps) (*Store, error) {
	return begin(maps, func(s *Store) error {
		s.unread = true
		s.slot, s.epoch = layout.ActiveParts(s.mem.active.load(0))
		return nil
	})
}

// begin maps a generation, and looks at what it has.
func begin(maps *Maps, look func(*Store) error) (*Store, error) {
	mem, err := mapAll(maps, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return nil, err
	}
	s := &Store{maps: maps, mem: mem, grace: maps.Wait, done: make(chan struct{})}
	if s.grace == nil {
		s.grace = Grace
	}
	s.moved = sync.NewCond(&s.mu)
	if err := look(s); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the Services of the maps: %w", err), mem.close())
	}
	go s.reclaim()
	return s, nil
}

// Close waits until everything is settled, and unmaps the maps. It closes none.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closing = true
	s.moved.Broadcast()
	s.mu.Unlock()
	<-s.done
	return errors.Join(s.failed, s.mem.close())
}

// Settle waits until every transaction is settled.
func (s *Store) Settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settleLocked()
}

// settleLocked is Settle for callers that hold the mutex.
func (s *Store) settleLocked() error {
	for s.waiting > 0 {
		if s.failed != nil {
			return s.failed
		}
		s.moved.Wait()
	}
	return s.failed
}

// later does something after the next grace period.
func (s *Store) later(do func() error) {
	s.garbage = append(s.garbage, do)
	s.waiting++
	s.moved.Broadcast()
}

// reclaim does after each grace period what was waiting for it.
func (s *Store) reclaim() {
	defer close(s.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.garbage) == 0 {
			if s.closing {
				return
			}
			s.moved.Wait()
		}
		list := s.garbage
		s.garbage = nil
		s.mu.Unlock()
		err := s.grace()
		s.mu.Lock()
		for _, do := range list {
			if err == nil {
				err = do()
				s.waiting--
			}
		}
		s.moved.Broadcast()
		if err != nil {
			s.failed = err
			return
		}
	}
}

// Active returns the value of active: another one than before says that another process
// has opened the maps for writing.
func (s *Store) Active() uint64 { return s.mem.active.load(0) }

// keys is the hash of the keys, and sources the trie of source ranges.
func (m *Maps) keys() *ebpf.Map    { return m.Stored[layout.Keys] }
func (m *Maps) sources() *ebpf.Map { return m.Stored[layout.StoredSources] }
