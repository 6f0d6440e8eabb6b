package compiler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/compiler/objects"
)

// TestNameIndex compares random histories with a map, small enough that runs of slots wrap
// around, and names have several numbers.
func TestNameIndex(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		x, want := newNameIndex(rng.IntN(20)), make(map[objects.Name][]uint32)
		for range 400 {
			n := objects.Name{Namespace: fmt.Sprint(rng.IntN(3)), Name: fmt.Sprint(rng.IntN(12))}
			k := uint32(rng.IntN(4))
			if rng.IntN(2) == 0 {
				x.add(x.hash(n), k)
				want[n] = append(want[n], k)
			} else {
				x.remove(x.hash(n), k)
				if at := slices.Index(want[n], k); at >= 0 {
					want[n] = slices.Delete(want[n], at, at+1)
				}
			}
			checkNameIndex(t, seed, &x, want)
		}
	}
}

func checkNameIndex(t *testing.T, seed uint64, x *nameIndex, want map[objects.Name][]uint32) {
	t.Helper()
	total := 0
	for n, numbers := range want {
		total += len(numbers)
		for k := range uint32(4) {
			// Numbers here do not tell their names: another name could have the same hash, though
			// not in these tests.
			got, there := x.find(x.hash(n), func(have uint32) bool { return have == k })
			if there != slices.Contains(numbers, k) || there && got != k {
				t.Fatalf("seed %d: number %d of %v: %v, %v of %v", seed, k, n, got, there, numbers)
			}
		}
	}
	if x.used != total {
		t.Fatalf("seed %d: %d are there, %d expected", seed, x.used, total)
	}
}
