package store

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var reads = flag.Uint64("reads", 10_000_000, "how many reads the torn-read harness makes at least")

// TestNothingIsTorn commits transactions of 64 Services while programs read two of them
// each: every run must see one version in all that it reads.
func TestNothingIsTorn(t *testing.T) {
	const services = 64
	for _, turns := range []uint32{0, 30} {
		m := newMaps(t, sizes{services, 3 * services, 64 * services})
		s := open(t, m)
		commit(t, s, all(services, 1, 5))
		r := newRig(t, m, services, turns, 0)
		stop := r.read(t, 2)
		want := *reads
		if turns > 0 {
			want /= 20 // each read takes long, so that a change comes in between
		}
		changes := 0
		for ; r.counts(t).ok < want; changes++ {
			commit(t, s, all(services, uint32(2+changes), 5+changes%3))
		}
		c := stop()
		t.Logf("%d transactions, %v", changes, c)
		if c.bad() != 0 {
			t.Errorf("turns %d: %v", turns, c)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestServicesComeAndGo takes all 64 Services away and puts them back under other
// indexes, while programs read: two that are there have one version.
func TestServicesComeAndGo(t *testing.T) {
	const services = 64
	m := newMaps(t, sizes{2 * services, 4 * services, 64 * services})
	s := open(t, m)
	commit(t, s, all(services, 1, 5))
	r := newRig(t, m, services, 0, 1)
	stop := r.read(t, 2)
	for n := range 40 {
		var gone []Change
		for i := range services {
			gone = append(gone, Change{Key: keyOf(i)})
		}
		commit(t, s, gone)
		back := all(services, uint32(2+n), 5+n%3)
		rand.Shuffle(len(back), func(i, j int) { back[i], back[j] = back[j], back[i] })
		commit(t, s, back)
	}
	c := stop()
	t.Log(c)
	if c.bad() != c.missing {
		t.Error(c)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestHarnessFindsTornReads breaks the order of steps: without grace periods memory is
// used again while programs read it, and the harness must say so.
func TestHarnessFindsTornReads(t *testing.T) {
	const services = 64
	m := newMaps(t, sizes{services, 2*services + 1, 12 * services})
	s := open(t, m)
	s.grace = func() error { return nil }
	commit(t, s, all(services, 1, 5))
	r := newRig(t, m, services, 30, 0)
	stop := r.read(t, 2)
	end := time.Now().Add(time.Minute)
	for n := 0; r.counts(t).bad() == 0 && time.Now().Before(end); n++ {
		commit(t, s, all(services, uint32(2+n), 5+n%2))
	}
	c := stop()
	t.Log(c)
	if c.bad() == 0 {
		t.Error("no read was torn: the harness would not notice")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
