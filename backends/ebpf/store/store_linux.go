package store

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Maps are the maps of one generation, and the one that says which generation and epoch
// programs use.
type Maps struct {
	Active  *ebpf.Map // array of one u64, mmapable
	Keys    *ebpf.Map // hash: layout.ServiceKey to an index of Words
	Words   *ebpf.Map // array of u64, mmapable
	Records *ebpf.Map // array of layout.Service, mmapable
	Places  *ebpf.Map // array of layout.Endpoint, mmapable
	// Prefixes is an LPM trie: layout.PrefixKey to 1. Sets below layout.FirstSourceSet
	// are not the store's.
	Prefixes *ebpf.Map
}

// Service is what one key should have. The bases of its routes are the store's to choose.
type Service struct {
	layout.Service
	// Internal and External are the pools of the routes, in the order of their
	// addresses.
	InternalPool, ExternalPool []layout.Endpoint
	// SourceRanges are the sources that are served, sorted and disjoint; none are all.
	// The number of their set is the store's to choose.
	SourceRanges []netip.Prefix
}

// Change is a key with its Service; nil takes the Service away.
type Change struct {
	Key     layout.ServiceKey
	Service *Service
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
	// entries are the keys that are in the hash.
	entries map[layout.ServiceKey]*entry
	pools   map[string]*pool
	indexes *space
	records *space
	places  *space
	// sets are lists of source ranges, by content, and numbers which numbers are free.
	sets    map[string]*set
	numbers *space
	// garbage is what can be done after the next grace period.
	garbage []func() error
	closing bool
	done    chan struct{}
	failed  error
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

// Open maps a generation and mends what a writer left that was killed.
func Open(maps *Maps) (*Store, error) {
	mem, err := mapAll(maps)
	if err != nil {
		return nil, err
	}
	s := &Store{maps: maps, mem: mem, grace: grace, done: make(chan struct{})}
	s.moved = sync.NewCond(&s.mu)
	if err := s.recover(); err != nil {
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
	for len(s.garbage) > 0 || s.anyPending() {
		if s.failed != nil {
			return s.failed
		}
		s.moved.Wait()
	}
	return s.failed
}

func (s *Store) anyPending() bool {
	for _, e := range s.entries {
		if e.pending {
			return true
		}
	}
	return false
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
			}
		}
		s.moved.Broadcast()
		if err != nil {
			s.failed = err
			return
		}
	}
}
