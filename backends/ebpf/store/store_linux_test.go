package store

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends/ebpf/layout"
)

// content is what a store has, and which of its entries are free.
func content(s *Store) map[layout.ServiceKey]Service { return s.Services() }

// TestRandomTransactions makes random transactions, some of them too large, and opens the
// maps anew now and then: a store has what a map in memory has, and nothing is lost of
// its room.
func TestRandomTransactions(t *testing.T) {
	const services = 50
	rng := rand.New(rand.NewPCG(1, 2))
	m := newMaps(t, sizes{services, 2*services + 1, 60})
	s := open(t, m)
	want := make(map[layout.ServiceKey]Service)
	full := 0
	for n := range 150 {
		var list []Change
		next := make(map[layout.ServiceKey]Service)
		for k, v := range want {
			next[k] = v
		}
		for _, i := range rng.Perm(services)[:1+rng.IntN(10)] {
			c := Change{Key: keyOf(i)}
			if rng.IntN(4) > 0 {
				c.Service = versioned(rng.IntN(3), uint32(1+rng.IntN(3)), rng.IntN(9)) // pools are shared
				for r := range rng.IntN(4) {
					c.Service.SourceRanges = append(c.Service.SourceRanges, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r), byte(rng.IntN(2)), 0}), 24))
				}
			}
			list = append(list, c)
			delete(next, c.Key)
			if c.Service != nil {
				v := *c.Service
				v.Internal.Count, v.External.Count = uint32(len(v.InternalPool)), uint32(len(v.ExternalPool))
				next[c.Key] = v
			}
		}
		switch err := s.Commit(list); {
		case err == nil:
			want = next
		case errors.Is(err, ErrFull):
			full++
		default:
			t.Fatal(err)
		}
		if d := gocmp.Diff(want, content(s), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Fatalf("after %d transactions: %s", n, d)
		}
		if n%30 == 29 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, m)
		}
	}
	if full == 0 {
		t.Error("no transaction was too large: the test does not ask enough")
	}
	var none []Change
	for k := range want {
		none = append(none, Change{Key: k})
	}
	commit(t, s, none)
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
	if i, r, p := s.indexes.room(), s.records.room(), s.places.room(); i != services || r != 2*services || p != 60 {
		t.Errorf("of an empty store %d indexes, %d records and %d places are free", i, r, p)
	}
	if len(s.pools)+len(s.entries)+len(s.sets) != 0 || s.numbers.room() != maxSets {
		t.Errorf("an empty store has %d pools, %d keys and %d sets", len(s.pools), len(s.entries), len(s.sets))
	}
	if left, err := s.readSets(); err != nil || len(left) != 0 {
		t.Errorf("an empty store has the source ranges %v, %v", left, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestRecovery leaves the maps as a writer does that is killed before and after the
// commit, and opens them.
func TestRecovery(t *testing.T) {
	for _, committed := range []bool{false, true} {
		m := newMaps(t, sizes{10, 30, 100})
		s := open(t, m)
		commit(t, s, []Change{{keyOf(0), versioned(0, 1, 2)}, {keyOf(1), versioned(1, 1, 2)}})
		if err := s.Settle(); err != nil {
			t.Fatal(err)
		}
		before := content(s)
		tr := &transaction{Store: s}
		for _, c := range []Change{{keyOf(0), versioned(0, 2, 3)}, {keyOf(1), nil}, {keyOf(2), versioned(2, 2, 3)}} {
			if err := tr.prepare(c); err != nil {
				t.Fatal(err)
			}
		}
		after := content(s)
		if committed {
			s.epoch++
			s.mem.active.store(0, activeOf(s.epoch, s.slot))
		}
		again := open(t, m)
		want := before
		if committed {
			want = after
		}
		if d := gocmp.Diff(want, content(again), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Errorf("committed %t: %s", committed, d)
		}
		if err := again.Settle(); err != nil {
			t.Fatal(err)
		}
		if got := 10 - again.indexes.room(); got != len(want) {
			t.Errorf("committed %t: %d indexes are taken, of %d keys", committed, got, len(want))
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}
