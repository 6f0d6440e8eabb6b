package nftables

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/planec/planec/ir"
)

func randomEndpoints(rng *rand.Rand, n int) []ir.Endpoint {
	var list []ir.Endpoint
	for len(list) < n {
		a := netip.AddrFrom4([4]byte{10, 1, byte(rng.IntN(64)), byte(rng.IntN(256))})
		e := ir.Endpoint{Address: netip.AddrPortFrom(a, 8080), Weight: 1}
		if !slices.ContainsFunc(list, e.Equal) {
			list = append(list, e)
		}
	}
	return list
}

// arranged are the endpoints of all indexes.
func arranged(list []ir.Endpoint) []netip.AddrPort {
	var out []netip.AddrPort
	for _, at := range new(arranger).arrange(list) {
		out = append(out, list[at].Address)
	}
	return out
}

// moves counts the indexes that have another endpoint.
func moves(before, after []netip.AddrPort) int {
	n := max(len(before), len(after)) - min(len(before), len(after))
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			n++
		}
	}
	return n
}

// TestArrangeChurn takes an endpoint away, at random, and counts the indexes
// that change. One is the least there can be.
func TestArrangeChurn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		n    int
		most float64
	}{{2, 2}, {3, 2.5}, {5, 3}, {10, 4}, {50, 6}, {100, 7}, {500, 12}} {
		total, worst := 0, 0
		rounds := 20000/c.n + 20
		for range rounds {
			list := randomEndpoints(rng, c.n)
			before := arranged(list)
			checkArranged(t, list, before)
			gone := rng.IntN(c.n)
			m := moves(before, arranged(slices.Delete(slices.Clone(list), gone, gone+1)))
			total, worst = total+m, max(worst, m)
		}
		average := float64(total) / float64(rounds)
		t.Logf("n=%d: %.2f on average, %d at worst", c.n, average, worst)
		if average > c.most {
			t.Errorf("n=%d: %.2f indexes change, want at most %.1f", c.n, average, c.most)
		}
	}
}

func checkArranged(t *testing.T, list []ir.Endpoint, slots []netip.AddrPort) {
	t.Helper()
	var want []netip.AddrPort
	for _, e := range list {
		for range e.Weight {
			want = append(want, e.Address)
		}
	}
	got := slices.Clone(slots)
	slices.SortFunc(got, netip.AddrPort.Compare)
	slices.SortFunc(want, netip.AddrPort.Compare)
	if !slices.Equal(got, want) {
		t.Fatalf("the slots are not the endpoints: %v, want %v", got, want)
	}
}

func TestArrangeWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		list := randomEndpoints(rng, 1+rng.IntN(20))
		for i := range list {
			list[i].Weight = uint16(1 + rng.IntN(5))
		}
		list[0].Weight = 1 // so that nothing divides them all
		checkArranged(t, list, arranged(list))
	}
	even := randomEndpoints(rng, 3)
	for i := range even {
		even[i].Weight = 65535
	}
	if n := len(new(arranger).arrange(even)); n != 3 {
		t.Errorf("three equal weights take %d slots", n)
	}
}

// TestArrangeIgnoresOrder: the arrangement is of the set, not of the slice.
func TestArrangeIgnoresOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	list := randomEndpoints(rng, 40)
	want := arranged(list)
	for range 20 {
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if !slices.Equal(arranged(list), want) {
			t.Fatal("the order of endpoints shows in their indexes")
		}
	}
}

func BenchmarkArrange(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, n := range []int{5, 100, 5000} {
		list := randomEndpoints(rng, n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				new(arranger).arrange(list)
			}
		})
	}
}

// TestArrangeRoom: a change of one Service takes room for its pool, and thousands of pools few
// pieces.
func TestArrangeRoom(t *testing.T) {
	list := randomEndpoints(rand.New(rand.NewPCG(5, 6)), 5)
	var one arranger
	one.arrange(list)
	if cap(one.all) > 16 {
		t.Errorf("room for %d indexes, for a pool of %d", cap(one.all), len(list))
	}
	const pools = 10000
	n := testing.AllocsPerRun(1, func() {
		var a arranger
		for range pools {
			a.arrange(list)
		}
	})
	if n > 100 {
		t.Errorf("%v allocations for %d pools", n, pools)
	}
}
