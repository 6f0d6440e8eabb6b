package live

import (
	"flag"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/ir"
)

// imageReader is a program that reads what an image of the test has of one number, in
// maps of Services, of addresses and of policies, as the programs of a node do.
type imageReader struct{ *ebpf.Collection }

// seen are the numbers of runs that saw one image, none, a torn Service, and a Service of
// one image with addresses or policies of another.
type seen struct{ ok, missing, torn, mixed uint64 }

func (s seen) bad() bool { return s.missing+s.torn+s.mixed > 0 }

// reader loads the program over the maps of a dataplane.
func reader(t *testing.T, d *Dataplane, turns uint32) imageReader {
	t.Helper()
	spec, err := bpf.LoadImage()
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Variables["turns"].Set(turns); err != nil {
		t.Fatal(err)
	}
	maps := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		for i, s := range pinnedSpecs() {
			if s.Name == name {
				maps[name] = append([]*ebpf.Map{d.active}, d.outer[:]...)[i]
			}
		}
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: maps})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(c.Close)
	return imageReader{c}
}

// read runs the program on both processors until stop is called, which returns what it saw.
func (r imageReader) read(t *testing.T) (stop func() seen) {
	t.Helper()
	var over atomic.Bool
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for !over.Load() {
				if _, _, err := r.Programs["read_image"].Benchmark(make([]byte, 64), 500, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() seen {
		over.Store(true)
		wait.Wait()
		return r.seen(t)
	}
}

func (r imageReader) seen(t *testing.T) (s seen) {
	t.Helper()
	for i, to := range []*uint64{&s.ok, &s.missing, &s.torn, &s.mixed} {
		var each []uint64
		if err := r.Maps["plc_counts"].Lookup(uint32(i), &each); err != nil {
			t.Fatal(err)
		}
		for _, n := range each {
			*to += n
		}
	}
	return s
}

// generationImage is an image whose service and endpoint both carry n, and an address of
// the node and a pod with policies half of it: from an even number to the next one, only
// Services change. More pools move the endpoint to another place.
func generationImage(t testing.TB, n uint16) *image.Image {
	t.Helper()
	route := ir.Route{Pool: "z", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	service := ir.ServicePort{Namespace: "n", Name: "s", Protocol: ir.TCP}
	half := [2]byte{byte(n >> 9), byte(n >> 1)}
	p := &ir.Program{
		Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 200, half[0], half[1]})}},
		Pools: []ir.Pool{
			{ID: "z", Endpoints: []ir.Endpoint{{Address: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), n), Weight: 1}}},
			{ID: "a"},
		},
		Frontends: []ir.Frontend{
			{ID: "s", Kind: ir.ClusterIP, Service: service, Affinity: uint32(n), Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("10.96.0.1"), Protocol: ir.TCP, Port: 80}},
			{ID: "t", Kind: ir.ClusterIP, Service: service, Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("10.96.0.2"), Protocol: ir.TCP, Port: 80}},
		},
		Policy: ir.Policy{Profiles: []ir.Profile{{
			ID:      "n/p/1",
			Pods:    []ir.Pod{{Namespace: "n", Name: "p", Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 201, half[0], half[1]})}}},
			Ingress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Name: "i"}}}},
		}}},
	}
	p.Frontends[1].Internal.Pool, p.Frontends[1].External.Pool = "a", "a"
	for i := range n % 5 {
		p.Pools[1].Endpoints = append(p.Pools[1].Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), 1+i), Weight: 1})
	}
	p.Normalize()
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

var (
	loads   = flag.Int("loads", 40, "how many images are loaded at least while a program runs")
	lasting = flag.Duration("lasting", 0, "how long they are loaded at least")
)

// TestProgramsSeeOneImage runs a program while images are loaded, of which some differ in
// Services only and some in policies too: every run must see exactly one image.
func TestProgramsSeeOneImage(t *testing.T) {
	for _, turns := range []uint32{0, 30} {
		d := open(t)
		r := reader(t, d, turns)
		if got, err := r.Programs["read_image"].Run(&ebpf.RunOptions{Data: make([]byte, 64)}); err != nil || got == 0 || r.seen(t).missing != 1 {
			t.Fatalf("before the first load: %d, %v, %+v", got, err, r.seen(t))
		}
		if err := d.Load(generationImage(t, 1)); err != nil {
			t.Fatal(err)
		}
		stop := r.read(t)
		start := time.Now()
		loaded := 0
		for ; loaded < *loads || time.Since(start) < *lasting; loaded++ {
			if err := d.Load(generationImage(t, uint16(2+loaded%1000))); err != nil {
				t.Error(err)
			}
		}
		s := stop()
		s.missing-- // that before the first load
		t.Logf("turns %d: %+v across %d loads", turns, s, loaded)
		if s.bad() || s.ok < 1000 {
			t.Errorf("turns %d: %+v", turns, s)
		}
	}
}

// TestHarnessFindsMixes breaks the order of steps: a slot that is used is filled with
// another image, map by map, and the reader must see the mix.
func TestHarnessFindsMixes(t *testing.T) {
	d := open(t)
	if err := d.Load(generationImage(t, 100)); err != nil {
		t.Fatal(err)
	}
	r := reader(t, d, 30)
	stop := r.read(t)
	for n := 0; n < 1000 && r.seen(t).mixed == 0; n++ {
		err := d.loadImage(generationImage(t, uint16(102+2*(n%50))), false)
		if err != nil {
			t.Fatal(err)
		}
		// The slot that was active gets maps of the new one, as if it were not in use.
		slot, err := d.Active()
		if err != nil {
			t.Fatal(err)
		}
		g, err := d.generation()
		if err != nil {
			t.Fatal(err)
		}
		other, err := d.inner(1, 1-slot)
		if err == nil {
			err = d.outer[1].Put(slot, other)
		}
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
		g.close()
	}
	if s := stop(); s.mixed == 0 {
		t.Errorf("no run saw a mix: the harness would not notice: %+v", s)
	} else {
		t.Logf("%+v", s)
	}
}
