package compiler

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// TestAddresses compares the index with lists of pairs, over so many changes that it begins
// again.
func TestAddresses(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	address := func() netip.Addr {
		n := byte(random.IntN(200))
		if random.IntN(4) == 0 {
			return netip.AddrFrom16([16]byte{0: 0xfd, 15: n})
		}
		return netip.AddrFrom4([4]byte{10, 0, byte(random.IntN(8)), n})
	}
	x, want := newAddresses(0), make(map[netip.Addr][]uint32)
	set := func(present bool) {
		a, k := address(), uint32(random.IntN(5))
		if present && slices.Contains(want[a], k) {
			return // a Service is removed before it is added again
		}
		x.set(a, k, present)
		want[a] = slices.DeleteFunc(want[a], func(have uint32) bool { return have == k })
		if present {
			want[a] = append(want[a], k)
		}
	}
	for range 500 {
		set(true)
	}
	x.settle()
	again := 0
	for range 20_000 {
		changed := len(x.v4.changed)
		set(random.IntN(2) == 0)
		if len(x.v4.changed) < changed {
			again++
		}
		a := address()
		same(t, a, x.get(a), want[a])
		if x.has(a) != (len(want[a]) > 0) {
			t.Fatalf("%v has Services: %v", a, x.has(a))
		}
	}
	for least := 1; least < 4; least++ {
		left := 0
		for a, list := range x.all(least) {
			left++
			same(t, a, list, want[a])
		}
		for _, list := range want {
			if len(list) >= least {
				left--
			}
		}
		if left != 0 {
			t.Errorf("%d addresses too many have %d Services", left, least)
		}
	}
	if again == 0 {
		t.Error("the index has never begun again")
	}
}

func same(t *testing.T, a netip.Addr, have, want []uint32) {
	t.Helper()
	if have, want = slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)); !slices.Equal(have, want) {
		t.Fatalf("%v has Services %v, want %v", a, have, want)
	}
}
