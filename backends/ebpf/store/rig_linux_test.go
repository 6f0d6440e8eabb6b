package store

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// sizes are those of the maps of a test.
type sizes struct{ keys, records, places uint32 }

// prefixes is how many source ranges the maps of a test have room for.
const prefixes = 12

// rig is a generation with a program that reads it.
type rig struct {
	maps *Maps
	coll *ebpf.Collection
}

// newMaps makes the maps of a generation.
func newMaps(t testing.TB, n sizes) *Maps {
	t.Helper()
	make := func(l layout.Map, entries uint32) *ebpf.Map {
		m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "plc_" + l.Name, Type: ebpf.MapType(l.Type), KeySize: l.KeySize, ValueSize: l.ValueSize, MaxEntries: entries, Flags: l.Flags})
		if err != nil {
			skipWithout(t, err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	m := &Maps{Active: make(layout.ActiveMap(), 1)}
	for i, entries := range [...]uint32{n.keys, n.keys, n.records, n.places, prefixes} {
		m.Stored[i] = make(layout.StoreMaps()[i], entries)
	}
	return m
}

// skipWithout skips where there are no eBPF maps, and fails in CI instead.
func skipWithout(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but this machine cannot make eBPF maps: %v", err)
	}
	t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot make eBPF maps: %v", err)
}

// newRig loads the reader over the maps.
func newRig(t testing.TB, m *Maps, services, turns, absent uint32) *rig {
	t.Helper()
	spec, err := bpf.LoadTorn()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]uint32{"services": services, "turns": turns, "absent": absent} {
		if err := spec.Variables[name].Set(v); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{"plc_active": m.Active}})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(c.Close)
	for i, l := range layout.StoreMaps() {
		if i == layout.StoredSources {
			continue // which no program reads
		}
		if err := c.Maps["plc_"+l.Name+"s"].Put(uint32(0), m.Stored[i]); err != nil {
			t.Fatal(err)
		}
	}
	return &rig{m, c}
}

// read runs readers until stop is called, which returns what they saw.
func (r *rig) read(t testing.TB, readers int) (stop func() counts) {
	t.Helper()
	var over atomic.Bool
	var wait sync.WaitGroup
	for range readers {
		wait.Go(func() {
			for !over.Load() {
				if _, _, err := r.coll.Programs["read_two"].Benchmark(make([]byte, 64), 500, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() counts {
		over.Store(true)
		wait.Wait()
		return r.counts(t)
	}
}

// counts are what readers saw: two Services of one version, one that was missing, one
// of two versions, two of different versions, and another Service than was asked for.
type counts struct{ ok, missing, torn, mixed, other uint64 }

func (c counts) String() string {
	return fmt.Sprintf("%d reads: %d missing, %d torn, %d mixed, %d of another Service", c.ok+c.bad(), c.missing, c.torn, c.mixed, c.other)
}

func (c counts) bad() uint64 { return c.missing + c.torn + c.mixed + c.other }

func (r *rig) counts(t testing.TB) (c counts) {
	t.Helper()
	for i, to := range []*uint64{&c.ok, &c.missing, &c.torn, &c.mixed, &c.other} {
		var each []uint64
		if err := r.coll.Maps["plc_counts"].Lookup(uint32(i), &each); err != nil {
			t.Fatal(err)
		}
		for _, n := range each {
			*to += n
		}
	}
	return c
}

// keyOf is the i-th key that readers ask for.
func keyOf(i int) layout.ServiceKey {
	a := netip.AddrFrom4([4]byte{10, 96, byte((i + 1) >> 8), byte(i + 1)})
	return layout.ServiceKey{Address: layout.AddressOf(a), Port: layout.PortOf(80), Protocol: 6}
}

// versioned is the i-th Service, with a version in every part that readers compare.
func versioned(i int, version uint32, endpoints int) *layout.Content {
	s := &layout.Content{Service: layout.Service{ID: uint64(i), Affinity: version}}
	s.Internal.Total = version
	for e := range endpoints {
		s.InternalPool = append(s.InternalPool, layout.Endpoint{Port: layout.PortOf(uint16(e)), Alias: uint32(i), Weight: version})
	}
	s.ExternalPool = s.InternalPool
	return s
}

// all changes every Service to one version.
func all(services int, version uint32, endpoints int) []Change {
	var out []Change
	for i := range services {
		out = append(out, Change{keyOf(i), versioned(i, version, endpoints)})
	}
	return out
}

func open(t testing.TB, m *Maps) *Store {
	t.Helper()
	s, err := Open(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wholeOf writes entries, which are sorted, as an image does: each pool and each list of source
// ranges once, in the order of their first use.
func wholeOf(list []layout.Entry) (w Whole) {
	pools, sets := make(map[string]uint32), make(map[string]uint32)
	for _, e := range list {
		for route, pool := range map[*layout.Route][]layout.Endpoint{&e.Internal: e.InternalPool, &e.External: e.ExternalPool} {
			var content []byte
			for _, x := range pool {
				content = x.Append(content)
			}
			at, known := pools[string(content)]
			if !known && len(pool) > 0 {
				at = uint32(len(w.Endpoints) / layout.EndpointSize)
				pools[string(content)] = at
				w.Endpoints = append(w.Endpoints, content...)
			}
			route.Base = at
		}
		if len(e.SourceRanges) > 0 {
			content := contentOf(e.SourceRanges)
			if sets[content] == 0 {
				sets[content] = layout.FirstSourceSet + uint32(len(sets))
				for _, p := range e.SourceRanges {
					w.Sources = layout.AppendIndex(layout.PrefixKeyOf(sets[content], p).Append(w.Sources), 1)
				}
			}
			e.Sources = sets[content]
		}
		w.Services = e.Service.Append(e.Key.Append(w.Services))
	}
	return w
}

func commit(t testing.TB, s *Store, list []Change) {
	t.Helper()
	if err := s.Commit(list); err != nil {
		t.Fatal(err)
	}
}
