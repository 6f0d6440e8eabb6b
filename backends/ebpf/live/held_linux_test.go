package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// world is a program of numbered Services that change, with the node's settings.
type world struct {
	services map[int]ir.Program // one Service each
	policies int                // how many pods have policies
}

// service is one Service: a ClusterIP with its address, and an external IP with source
// ranges now and then. Its pools are those of others sometimes.
func service(i int, version int, endpoints int) ir.Program {
	address := func(a byte) netip.Addr { return netip.AddrFrom4([4]byte{10, a, byte(i >> 8), byte(i)}) }
	name := ir.ServicePort{Namespace: "n", Name: fmt.Sprint("s", i), Protocol: ir.TCP}
	route := ir.Route{Pool: fmt.Sprint("p", i), Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject}
	p := ir.Program{ClusterIPs: []netip.Addr{address(96)}, Pools: []ir.Pool{{ID: route.Pool}}}
	for e := range endpoints {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(version), byte(e)}), uint16(1+i%7))
		p.Pools[0].Endpoints = append(p.Pools[0].Endpoints, ir.Endpoint{Address: at, Weight: uint16(1 + version%3*e)})
	}
	p.Frontends = []ir.Frontend{
		{ID: name.Name + "c", Kind: ir.ClusterIP, Service: name, Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: address(96), Protocol: ir.TCP, Port: 80}},
		{ID: name.Name + "e", Kind: ir.ExternalIP, Service: name, Affinity: uint32(version % 2), Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: address(97), Protocol: ir.TCP, Port: 80}},
	}
	if version%4 == 0 {
		p.Frontends[1].SourceRanges = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, byte(version), 0}), 24)}
	}
	return p
}

// image is that of some of the Services, or of all.
func (w *world) image(t testing.TB, only ...int) *image.Image {
	t.Helper()
	p := &ir.Program{Node: ir.Node{Name: "a", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	for n := range w.policies {
		if n%3 == 2 {
			p.Policy.OnDeny = ir.Reject
		}
		p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{
			ID: fmt.Sprint("n/p/", n), Pods: []ir.Pod{{Namespace: "n", Name: fmt.Sprint("p", n), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 1, 0, byte(n)})}}},
			Ingress: []ir.Tier{{
				Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Name: "i"}},
				Rules: []ir.Rule{{Action: ir.Accept, AnyPeer: true, Ports: []ir.PortRange{{Protocol: ir.TCP, First: uint16(n), Last: uint16(n)}}}},
			}},
		})
	}
	add := func(s ir.Program) {
		p.Frontends, p.Pools, p.ClusterIPs = append(p.Frontends, s.Frontends...), append(p.Pools, s.Pools...), append(p.ClusterIPs, s.ClusterIPs...)
	}
	if only == nil {
		for _, s := range w.services {
			add(s)
		}
	}
	for _, i := range only {
		if s, there := w.services[i]; there {
			add(s)
		}
	}
	p.Normalize()
	img, err := image.New(backends.Options{NoComments: true}).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func newWorld(n int) *world {
	w := &world{services: make(map[int]ir.Program)}
	for i := range n {
		w.services[i] = service(i, 1, 1+i%4)
	}
	return w
}

// TestHeld changes random Services of held state, with policies or without, and sometimes
// policies as if only Services had changed; another process reads after each change what a
// compilation of the whole writes.
func TestHeld(t *testing.T) {
	ctx := context.Background()
	p, _ := pins(t)
	defer p.Close()
	w := newWorld(60)
	apply(t, p, w.image(t))
	held := NewHeld(w.image(t))
	rng := rand.New(rand.NewPCG(7, 8))
	whole := 0
	for n := range 120 {
		var about []int
		for range 1 + rng.IntN(3) {
			about = append(about, rng.IntN(80))
		}
		change, wrong, policies := held.Change, n%20 == 19, w.policies
		if n%5 == 2 {
			change, w.policies = held.ChangePolicy, 0
		}
		before := w.image(t, about...)
		for _, i := range about {
			if rng.IntN(4) == 0 {
				delete(w.services, i)
			} else {
				w.services[i] = service(i, rng.IntN(9), rng.IntN(6))
			}
		}
		if w.policies = policies; n%5 == 2 || wrong {
			w.policies = (policies + 1 + rng.IntN(4)) % 5
		}
		plan, err := change(before, w.image(t, about...))
		if wrong != errors.Is(err, ErrWhole) {
			t.Fatalf("change %d: %v", n, err)
		}
		if err != nil {
			whole++
			if plan, err = held.Replace(w.image(t)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Apply(ctx, plan); err != nil {
			t.Fatalf("change %d: %v", n, err)
		}
		held.Commit(plan)
		if n%10 == 9 || plan.want != nil || plan.rest != nil {
			serving(t, p, w.image(t))
		}
		if again, err := held.Replace(w.image(t)); err != nil || !again.Empty() {
			t.Fatalf("change %d: held state is another one: %v, %v", n, again.Steps(), err)
		}
	}
	serving(t, p, w.image(t))
	if whole == 0 {
		t.Error("no change needed the whole image")
	}
}

// TestHeldGrows adds Services until the maps are full: they get a larger set, and nothing
// is lost.
func TestHeldGrows(t *testing.T) {
	p, _ := pins(t)
	defer p.Close()
	w := newWorld(3)
	apply(t, p, w.image(t))
	held := NewHeld(w.image(t))
	first := fingerprint(t, p)
	for n := 3; n < 900; n += 50 {
		var about []int
		for i := range 50 {
			about = append(about, n+i)
		}
		policies := w.policies
		if n%100 == 3 {
			w.policies = 0
		}
		before := w.image(t, about...)
		w.policies = policies
		for _, i := range about {
			w.services[i] = service(i, 1, 1)
		}
		change := held.Change
		if n%100 == 3 { // with other policies
			change = held.ChangePolicy
			w.policies = 1 + n/100
		}
		plan, err := change(before, w.image(t, about...))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(context.Background(), plan); err != nil {
			t.Fatalf("from %d Services: %v", n, err)
		}
		held.Commit(plan)
	}
	serving(t, p, w.image(t))
	last := fingerprint(t, p)
	if maps := func(s string) string { return s[strings.LastIndex(s, "["):] }; maps(first) == maps(last) {
		t.Error("the maps never were full: the test does not ask enough")
	}
}

// TestHeldDrift changes the maps behind the back of held state: the next change has changed
// nothing, and a whole apply puts it right.
func TestHeldDrift(t *testing.T) {
	ctx := context.Background()
	for name, meddle := range map[string]func(p *Pins, w *world) error{
		"another process applies": func(p *Pins, w *world) error {
			other := newWorld(4)
			apply(t, NewPins(p.Dir), other.image(t))
			return nil
		},
		"and puts it back": func(p *Pins, w *world) error {
			apply(t, NewPins(p.Dir), newWorld(4).image(t))
			apply(t, NewPins(p.Dir), w.image(t))
			return nil
		},
		"another process opens them to write, and ends": func(p *Pins, _ *world) error {
			d, err := Open(p.Dir)
			if err != nil {
				return err
			}
			g, err := d.generation()
			defer g.close()
			if err == nil {
				d.services, err = d.openServices(&g)
			}
			return errors.Join(err, d.Close())
		},
		"the pins are other ones": func(p *Pins, w *world) error {
			if _, err := NewPins(p.Dir).Clean(ctx); err != nil {
				return err
			}
			apply(t, NewPins(p.Dir), w.image(t))
			return nil
		},
		"the pins are gone": func(p *Pins, w *world) error {
			_, err := NewPins(p.Dir).Clean(ctx)
			return err
		},
		"the pin of active is gone": func(p *Pins, w *world) error { return os.Remove(filepath.Join(p.Dir, "plc_active")) },
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := pins(t)
			defer p.Close()
			w := newWorld(5)
			apply(t, p, w.image(t))
			held := NewHeld(w.image(t))
			change := func(version int) error {
				before := w.image(t, 2)
				w.services[2] = service(2, version, 3)
				plan, err := held.Change(before, w.image(t, 2))
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Apply(ctx, plan); err != nil {
					return err
				}
				held.Commit(plan)
				return nil
			}
			if err := change(5); err != nil {
				t.Fatal(err)
			}
			if err := meddle(p, w); err != nil {
				t.Fatal(err)
			}
			if err := change(6); !errors.Is(err, ErrDrift) {
				t.Errorf("not noticed: %v", err)
			}
			apply(t, p, w.image(t))
			serving(t, p, w.image(t))
			held = NewHeld(w.image(t))
			if err := change(7); err != nil {
				t.Error(err)
			}
			serving(t, p, w.image(t))
		})
	}
}

// TestHeldStale changes a Service of which the maps have another version than the held
// state: that is drift too, also in the first change of a process.
func TestHeldStale(t *testing.T) {
	p, _ := pins(t)
	defer p.Close()
	w := newWorld(5)
	apply(t, p, w.image(t))
	w.services[2] = service(2, 8, 2)
	before := w.image(t, 2)
	w.services[2] = service(2, 9, 2)
	plan, err := NewHeld(w.image(t)).Change(before, w.image(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(context.Background(), plan); !errors.Is(err, ErrDrift) {
		t.Errorf("not noticed: %v", err)
	}
	serving(t, p, newWorld(5).image(t))
}

// TestHeldWork counts what a change allocates: it does not depend on how many Services
// there are.
func TestHeldWork(t *testing.T) {
	work := func(services int) float64 {
		p, _ := pins(t)
		defer p.Close()
		w := newWorld(services)
		apply(t, p, w.image(t))
		held := NewHeld(w.image(t))
		version := 2
		images := func() (before, after *image.Image) {
			before = w.image(t, 2)
			w.services[2] = service(2, version%9, 3)
			version++
			return before, w.image(t, 2)
		}
		var befores, afters []*image.Image
		for range 30 {
			b, a := images()
			befores, afters = append(befores, b), append(afters, a)
		}
		n := 0
		return testing.AllocsPerRun(20, func() {
			plan, err := held.Change(befores[n], afters[n])
			if err == nil {
				err = p.Apply(context.Background(), plan)
			}
			if err != nil {
				t.Fatal(err)
			}
			held.Commit(plan)
			n++
		})
	}
	few, many := work(20), work(2000)
	t.Logf("%v allocations a change among 20 Services, %v among 2000", few, many)
	if many > few+20 {
		t.Error("a change costs more where there are more Services")
	}
}

// TestFormerLayout puts the maps of layout 1 where the pins belong: an apply replaces them
// as a whole, and Clean removes what layout 2 has not.
func TestFormerLayout(t *testing.T) {
	ctx := context.Background()
	put := func(p *Pins) {
		t.Helper()
		if err := os.MkdirAll(p.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		specs := []*ebpf.MapSpec{activeSpec()}
		for _, l := range []layout.Map{
			{Name: "meta", Type: layout.Array, KeySize: 4, ValueSize: 104, Flags: layout.ReadOnlyProg | layout.InnerMap},
			{Name: "svc", Type: layout.Hash, KeySize: 20, ValueSize: 64, Flags: layout.ReadOnlyProg},
			{Name: "ep", Type: layout.Array, KeySize: 4, ValueSize: 32, Flags: layout.ReadOnlyProg | layout.InnerMap},
			{Name: "ep_ok", Type: layout.Hash, KeySize: 24, ValueSize: 4, Flags: layout.ReadOnlyProg},
			{Name: "addr", Type: layout.Hash, KeySize: 16, ValueSize: 4, Flags: layout.ReadOnlyProg},
		} {
			specs = append(specs, outerSpec(l))
		}
		for _, spec := range specs {
			if err := pinMap(spec, filepath.Join(p.Dir, spec.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, _ := pins(t)
	put(p)
	s, err := p.Observe(ctx)
	if err != nil || s.Image != nil {
		t.Fatalf("before: %v, %v", s, err)
	}
	img := generationImage(t, 3)
	apply(t, p, img)
	serving(t, p, img)
	if left, err := p.Left(); err != nil || len(left) != 1+numMaps {
		t.Errorf("what is left: %v, %v", left, err)
	}
	if _, err := p.Clean(ctx); err != nil {
		t.Fatal(err)
	}
	put(p)
	if removed, err := p.Clean(ctx); err != nil || len(removed) != 6 {
		t.Errorf("cleaning: %v, %v", removed, err)
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}
