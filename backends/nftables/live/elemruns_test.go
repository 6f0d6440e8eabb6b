package live

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRuns finds elements whose keys count, in the way of an index: gaps, beginnings that come again,
// records of other lengths and numbers around the largest, and keys that are there twice.
func TestRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	found, indexed := 0, 0
	for range 3000 {
		e, plain := &Elements{keyLen: 8}, &Elements{keyLen: 8}
		for head := range 1 + rng.Uint32N(5) {
			if rng.IntN(20) == 0 {
				head = 0
			}
			number := []uint32{0, 0, 0, 0, 7, 1<<32 - 2}[rng.IntN(6)]
			for range rng.IntN(6) {
				r := record{key: binary.NativeEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, head), number), data: []byte{byte(rng.Uint32())}}
				if rng.IntN(40) == 0 {
					r.udata = []byte{1}
				}
				e.append(r)
				plain.append(r)
				if number++; rng.IntN(30) == 0 {
					number += rng.Uint32N(3) - 1
				}
			}
		}
		twice := plain.index()
		if got := e.twice(true); (got == nil) != (twice == nil) || got != nil && string(got) != string(twice) {
			t.Fatalf("twice %x, want %x", got, twice)
		}
		if twice != nil {
			continue
		}
		if indexed++; e.runs != nil {
			found++
		}
		if sizes := []int{1 + rng.IntN(3), 5, 11, 30}; e.n > 0 && !slices.Equal(e.divide(sizes), plain.divide(sizes)) {
			t.Fatalf("parts %v, want %v", e.divide(sizes), plain.divide(sizes))
		}
		for range 20 {
			key := binary.NativeEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, rng.Uint32N(6)), []uint32{0, 1 << 31, 1<<32 - 4}[rng.IntN(3)]+rng.Uint32N(12))
			got, is := e.get(key)
			want, was := plain.get(key)
			if is != was || is && (!got.same(want) || string(got.key) != string(want.key)) {
				t.Fatalf("key %x: %v %v, want %v %v", key, got, is, want, was)
			}
		}
		n := 0
		for _, r := range plain.all() {
			if got, ok := e.get(r.key); !ok || !got.same(r) {
				t.Fatalf("key %x: %v %v, want %v", r.key, got, ok, r)
			}
			if n++; n == 2 { // a change needs an index, which takes their place
				e.remove(r.key)
				e.add(r)
			}
		}
		if n >= 2 && (e.runs != nil || e.Len() != plain.Len()) {
			t.Fatalf("%d elements, want %d, runs %v", e.Len(), plain.Len(), e.runs)
		}
	}
	if found < indexed/3 || found == indexed {
		t.Errorf("%d of %d have runs", found, indexed)
	}
}
