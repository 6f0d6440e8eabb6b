package store

import (
	"testing"
	"time"
)

// TestNewKeysWait: while a program may still hold the element of a key that is gone, no other
// key is inserted, since the kernel would use the element again at once.
func TestNewKeysWait(t *testing.T) {
	s := open(t, newMaps(t, sizes{10, 30, 100}))
	commit(t, s, all(2, 1, 1))
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
	periods := make(chan struct{})
	s.mu.Lock()
	s.grace = func() error { <-periods; return nil } // they end when the test says so
	s.mu.Unlock()
	commit(t, s, []Change{{Key: keyOf(0)}})
	periods <- struct{}{} // the key is deleted after this
	s.mu.Lock()
	for s.dropped == 0 {
		s.moved.Wait()
	}
	s.mu.Unlock()
	inserted := make(chan error, 1)
	go func() { inserted <- s.Commit([]Change{{keyOf(5), versioned(5, 1, 1)}}) }()
	commit(t, s, []Change{{keyOf(1), versioned(1, 2, 1)}}) // a key that is there need not wait
	select {
	case err := <-inserted:
		t.Fatalf("a new key was inserted while an element may be held: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(periods)
	if err := <-inserted; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
