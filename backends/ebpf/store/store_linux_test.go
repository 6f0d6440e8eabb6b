package store

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends/ebpf/layout"
)

// content is what a store means, which another process must read as the same.
func content(t testing.TB, s *Store) map[layout.ServiceKey]layout.Content {
	t.Helper()
	entries, err := s.Entries()
	if err != nil {
		t.Fatal(err)
	}
	other, err := Read(s.maps)
	if err != nil || !slices.EqualFunc(entries, other, func(a, b layout.Entry) bool { return a.Key == b.Key && a.Equal(&b.Content) }) {
		t.Errorf("another process reads %v, %v", other, err)
	}
	out := make(map[layout.ServiceKey]layout.Content)
	for _, e := range entries {
		out[e.Key] = e.Content
	}
	return out
}

// TestRandomTransactions makes random transactions, some of them too large, and opens the
// maps anew now and then: a store has what a map in memory has, and nothing is lost of
// its room.
func TestRandomTransactions(t *testing.T) {
	const services = 50
	rng := rand.New(rand.NewPCG(1, 2))
	m := newMaps(t, sizes{services, 2*services + 1, 60})
	s := open(t, m)
	want := make(map[layout.ServiceKey]layout.Content)
	full := 0
	for n := range 150 {
		var list []Change
		next := make(map[layout.ServiceKey]layout.Content)
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
				next[c.Key] = c.Service.Normal()
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
		if d := gocmp.Diff(want, content(t, s), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Fatalf("after %d transactions: %s", n, d)
		}
		for key, v := range want {
			if !s.Means(key, &v) {
				t.Fatalf("after %d transactions key %v does not mean %+v", n, key, v)
			}
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
	if left, err := readSets(m); err != nil || len(left) != 0 {
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
		before := content(t, s)
		tr := &transaction{Store: s}
		for _, c := range []Change{{keyOf(0), versioned(0, 2, 3)}, {keyOf(1), nil}, {keyOf(2), versioned(2, 2, 3)}} {
			if err := tr.prepare(c); err != nil {
				t.Fatal(err)
			}
		}
		want := before
		if committed {
			s.epoch++
			s.mem.active.store(0, layout.ActiveValue(s.slot, s.epoch))
			want = content(t, s)
		}
		again := open(t, m)
		if d := gocmp.Diff(want, content(t, again), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
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

// TestFillAndDiff fills maps, and changes them by what differs from other entries: the store
// means those, in as many changes as there are differences.
func TestFillAndDiff(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	m := newMaps(t, sizes{100, 250, 1000})
	s, err := Create(m)
	if err != nil {
		t.Fatal(err)
	}
	var have []layout.Entry
	for i := range 50 {
		c := versioned(i, 1, 1+i%4)
		for r := range i % 3 {
			c.SourceRanges = append(c.SourceRanges, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r), byte(i % 2), 0}), 24))
		}
		have = append(have, layout.Entry{Key: keyOf(i), Content: c.Normal()})
	}
	layout.SortEntries(have)
	if err := s.Fill(wholeOf(have)); err != nil {
		t.Fatal(err)
	}
	if err := s.Switch(nil, 1); err != nil || s.Active() != layout.ActiveValue(1, 1) {
		t.Fatalf("active is %#x, %v", s.Active(), err)
	}
	if got, err := s.Entries(); err != nil || !slices.EqualFunc(got, have, func(a, b layout.Entry) bool { return a.Key == b.Key && a.Equal(&b.Content) }) {
		t.Fatalf("what was filled is read as %v, %v", got, err)
	}
	for n := range 40 {
		var want []layout.Entry
		differ := 0
		for i := range 100 {
			at, there := slices.BinarySearchFunc(have, keyOf(i), func(e layout.Entry, k layout.ServiceKey) int { return e.Key.Compare(k) })
			switch e := (layout.Entry{Key: keyOf(i)}); rng.IntN(8) {
			case 0:
				if there {
					differ++
				}
			case 1:
				e.Content = versioned(i, uint32(2+n), rng.IntN(4)).Normal()
				want = append(want, e)
				differ++
			default:
				if there {
					want = append(want, have[at])
				}
			}
		}
		layout.SortEntries(want)
		changes := s.Diff(want)
		if len(changes) != differ {
			t.Fatalf("%d changes of %d differences", len(changes), differ)
		}
		commit(t, s, changes)
		if got, err := s.Entries(); err != nil || !slices.EqualFunc(got, want, func(a, b layout.Entry) bool { return a.Key == b.Key && a.Equal(&b.Content) }) {
			t.Fatalf("after change %d: %v\n%v\n%v", n, err, got, want)
		}
		if left := s.Diff(want); len(left) != 0 {
			t.Fatalf("%d changes are left", len(left))
		}
		have = want
	}
	if err := s.Fill(Whole{}); err == nil {
		t.Error("maps with keys can be filled")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFillFull wants maps that an image does not fit into to be said to be full, wherever it is that
// they lack room.
func TestFillFull(t *testing.T) {
	var list []layout.Entry
	for i := range 20 {
		c := versioned(i, 1, 3)
		c.SourceRanges = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)}
		list = append(list, layout.Entry{Key: keyOf(i), Content: c.Normal()})
	}
	layout.SortEntries(list)
	w := wholeOf(list)
	few := wholeOf(list[:prefixes])
	for name, c := range map[string]struct {
		sizes
		Whole
		full bool
	}{
		"all fits":          {sizes{prefixes, prefixes + 1, 60}, few, false},
		"too many keys":     {sizes{prefixes - 1, 100, 100}, few, true},
		"too many records":  {sizes{100, prefixes, 100}, few, true},
		"too many places":   {sizes{100, 100, uint32(len(few.Endpoints)/layout.EndpointSize - 1)}, few, true},
		"too many prefixes": {sizes{100, 100, 100}, w, true},
	} {
		s, err := Create(newMaps(t, c.sizes))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fill(c.Whole); errors.Is(err, ErrFull) != c.full || err != nil && !c.full {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
