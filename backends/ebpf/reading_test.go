package ebpf

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/internal/testing/irtest"
)

// readAs compares entries with an image as a reading of maps would, which has them at other
// positions.
func readAs(img *Image, entries []layout.Entry) bool {
	r := img.Reading()
	for i := range entries {
		e := &entries[i]
		s := e.Service
		s.Internal.Base, s.External.Base = uint32(1000+i), uint32(2000+i)
		if len(e.SourceRanges) > 0 {
			s.Sources = uint32(77 + i)
		}
		var pools [2][]byte
		for j, list := range [...][]layout.Endpoint{e.InternalPool, e.ExternalPool} {
			for _, x := range list {
				pools[j] = x.Append(pools[j])
			}
		}
		if len(pools[0]) == 0 {
			s.Internal.Base = 0
		}
		if len(pools[1]) == 0 {
			s.External.Base = 0
		}
		if !r.Next(e.Key, s, pools, e.SourceRanges) {
			return false
		}
	}
	return r.Complete()
}

// TestReading wants an image's entries to be recognised at any positions and in any order, and
// no others: one that is missing, another one, and each with one thing that differs.
func TestReading(t *testing.T) {
	img, err := New(backends.DefaultOptions()).Image(irtest.KitchenSink())
	if err != nil {
		t.Fatal(err)
	}
	entries := img.Entries()
	if !readAs(img, entries) {
		t.Fatal("it does not have its own entries")
	}
	backwards := slices.Clone(entries)
	slices.Reverse(backwards)
	if !readAs(img, backwards) {
		t.Error("it does not have its own entries in another order")
	}
	if readAs(img, entries[1:]) {
		t.Error("an entry is missing")
	}
	for name, change := range map[string]func(*layout.Entry) bool{
		"key":         func(e *layout.Entry) bool { e.Key.Address[15] ^= 0x55; return true },
		"identity":    func(e *layout.Entry) bool { e.ID++; return true },
		"affinity":    func(e *layout.Entry) bool { e.Affinity++; return true },
		"kind":        func(e *layout.Entry) bool { e.Kind ^= 1; return true },
		"reserved":    func(e *layout.Entry) bool { e.Reserved[14] = 1; return true },
		"masquerade":  func(e *layout.Entry) bool { e.Internal.Masquerade ^= 1; return true },
		"empty pools": func(e *layout.Entry) bool { e.External.OnEmpty ^= 1; return true },
		"total":       func(e *layout.Entry) bool { e.Internal.Total++; return true },
		"count":       func(e *layout.Entry) bool { e.External.Count++; return true },
		"endpoint": func(e *layout.Entry) bool {
			if len(e.InternalPool) == 0 {
				return false
			}
			e.InternalPool = slices.Clone(e.InternalPool)
			e.InternalPool[len(e.InternalPool)-1].Address[15]++
			return true
		},
		"endpoint of the external route": func(e *layout.Entry) bool {
			if len(e.ExternalPool) == 0 {
				return false
			}
			e.ExternalPool = e.ExternalPool[1:]
			return true
		},
		"source ranges": func(e *layout.Entry) bool {
			e.SourceRanges = append(slices.Clone(e.SourceRanges), netip.MustParsePrefix("192.0.2.0/25"))
			return true
		},
	} {
		tried := 0
		for i := range entries {
			other := slices.Clone(entries)
			if !change(&other[i]) {
				continue
			}
			tried++
			if readAs(img, other) {
				t.Errorf("%s of entry %d is another one", name, i)
			}
		}
		if tried == 0 {
			t.Errorf("%s: nothing was tried", name)
		}
	}
}
