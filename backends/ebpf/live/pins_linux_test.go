package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// apply observes, plans and applies, and returns the plan.
func apply(t testing.TB, p *Pins, want *image.Image) *Plan {
	t.Helper()
	have, err := p.Observe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	plan := NewPlan(have, want)
	if err := p.Apply(context.Background(), plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// serving wants an image to be active according to a new process.
func serving(t testing.TB, p *Pins, want *image.Image) {
	t.Helper()
	fresh := NewPins(p.Dir)
	if err := fresh.Verify(context.Background(), want); err != nil {
		t.Error(err)
	}
}

func fingerprint(t *testing.T, p *Pins) string {
	t.Helper()
	f, err := p.Fingerprint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPinsApply(t *testing.T) {
	p, _ := pins(t)
	ctx := context.Background()
	first := apply(t, p, generationImage(t, 1))
	if len(first.Steps()) < 1+1+numMaps || !slices.Contains(first.Steps(), "map svc: 2 entries come") {
		t.Errorf("the first plan:\n%s", strings.Join(first.Steps(), "\n"))
	}
	want := generationImage(t, 2)
	second := apply(t, p, want)
	if got := second.Steps(); len(got) != 5 || got[0] != "map svc: 2 entries change" || got[1] != "map ep: 1 entry comes, 2 entries change" ||
		!strings.HasPrefix(got[4], "activate image "+short(want)+" in the place of ") {
		t.Errorf("the second plan:\n%s", strings.Join(got, "\n"))
	}
	serving(t, p, want)
	before := fingerprint(t, p)
	if again := apply(t, NewPins(p.Dir), want); !again.Empty() {
		t.Errorf("a restart changes something:\n%s", strings.Join(again.Steps(), "\n"))
	}
	if fingerprint(t, p) != before {
		t.Error("a restart over a correct image wrote it again")
	}
	for seed := range uint64(8) {
		img := randomImage(t, seed)
		apply(t, p, img)
		serving(t, p, img)
	}
	removed, err := p.Clean(ctx)
	if err != nil || len(removed) != 1+numMaps {
		t.Errorf("cleaning: %v, %v", removed, err)
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if removed, err := p.Clean(ctx); err != nil || len(removed) != 0 {
		t.Errorf("cleaning again: %v, %v", removed, err)
	}
	s, err := p.Observe(ctx)
	if err != nil || s.Image != nil {
		t.Errorf("after cleaning: %v, %v", s.Image, err)
	}
}

// TestPinsRepair damages the active image in every possible way.
func TestPinsRepair(t *testing.T) {
	damages := []struct {
		name, want string
		do         func(p *Pins, d *Dataplane) error
	}{
		{"a pin is gone", "add map plc_keys", func(p *Pins, _ *Dataplane) error { return os.Remove(filepath.Join(p.Dir, "plc_keys")) }},
		{"the commit point is gone", "add map plc_active", func(p *Pins, _ *Dataplane) error { return os.Remove(filepath.Join(p.Dir, "plc_active")) }},
		{"the slot of the addresses is emptied", "map addr: ", func(_ *Pins, d *Dataplane) error { return d.outer[addresses].Delete(uint32(1)) }},
		{"the slot of the keys is emptied", "map key: ", func(_ *Pins, d *Dataplane) error { return d.outer[keys].Delete(uint32(1)) }},
		{"another map is in the slot", "not frozen", func(_ *Pins, d *Dataplane) error {
			return withMap(addresses, 2, func(m *ebpf.Map) error { return d.outer[addresses].Put(uint32(1), m) })
		}},
		{"a frozen one is in the slot", "0 entries where 1 should be", func(_ *Pins, d *Dataplane) error {
			return withMap(addresses, 1, func(m *ebpf.Map) error {
				return errors.Join(m.Freeze(), d.outer[addresses].Put(uint32(1), m))
			})
		}},
		{"there are no keys", "map svc: 2 entries come", func(_ *Pins, d *Dataplane) error {
			return withMap(keys, 2000, func(m *ebpf.Map) error { return d.outer[keys].Put(uint32(1), m) })
		}},
		{"a key is gone", "map svc: 1 entry comes", func(_ *Pins, d *Dataplane) error {
			return d.inSlot(keys, 1, func(m *ebpf.Map) error { return m.Delete(serviceAt(1).Append(nil)) })
		}},
		{"a key is another's", "is another's or none", func(_ *Pins, d *Dataplane) error {
			return d.inSlot(keys, 1, func(m *ebpf.Map) error {
				var index uint32
				return errors.Join(m.Lookup(serviceAt(1).Append(nil), &index), m.Put(serviceAt(2).Append(nil), index))
			})
		}},
		{"a word names no record", "record 99999 of", func(_ *Pins, d *Dataplane) error {
			return d.inSlot(stored+layout.Words, 1, func(m *ebpf.Map) error { return m.Put(uint32(0), uint64(99999<<24|99999)) })
		}},
		{"a record was edited", "map svc: 1 entry changes", func(_ *Pins, d *Dataplane) error {
			return d.inSlot(stored+layout.Records, 1, func(m *ebpf.Map) error { return editEach(m, 40, 0x80) })
		}},
		{"endpoints were edited", "map ep: ", func(_ *Pins, d *Dataplane) error {
			return d.inSlot(stored+layout.Places, 1, func(m *ebpf.Map) error { return editEach(m, 17, 1) })
		}},
		{"active is no slot", "slot 7 of 2", func(_ *Pins, d *Dataplane) error { return d.active.Put(uint32(0), uint64(7)) }},
		{"the other slot is active", "map addr: 1 entry comes, 1 entry goes", func(_ *Pins, d *Dataplane) error { return d.active.Put(uint32(0), uint64(0)) }},
	}
	for _, damage := range damages {
		t.Run(damage.name, func(t *testing.T) {
			p, _ := pins(t)
			img := generationImage(t, 6)
			apply(t, p, generationImage(t, 5)) // in slot 1
			apply(t, p, generationImage(t, 9))
			apply(t, p, img) // in slot 1 again
			serving(t, p, img)
			d, err := Open(p.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(damage.do(p, d), d.Close()); err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(context.Background(), img); !errors.Is(err, errDiffers) || !strings.Contains(err.Error(), damage.want) {
				t.Errorf("not noticed: %v", err)
			}
			apply(t, p, img)
			serving(t, p, img)
		})
	}
}

// The maps that the tests damage.
const (
	addresses = 1
	keys      = stored + layout.Keys
)

// serviceAt is the key of a Service of generationImage.
func serviceAt(n byte) layout.ServiceKey {
	return layout.ServiceKey{Address: layout.AddressOf(netip.AddrFrom4([4]byte{10, 96, 0, n})), Port: layout.PortOf(80), Protocol: 6}
}

// inSlot opens a map in a slot.
func (d *Dataplane) inSlot(index int, slot uint32, do func(*ebpf.Map) error) error {
	m, err := d.inner(index, slot)
	if err != nil {
		return err
	}
	return errors.Join(do(m), m.Close())
}

// editEach changes a byte of every entry of an array that has something.
func editEach(m *ebpf.Map, at int, by byte) error {
	for i := range m.MaxEntries() {
		b, err := m.LookupBytes(i)
		if err != nil {
			return err
		}
		if b[at] == 0 {
			continue
		}
		b[at] ^= by
		if err := m.Put(i, b); err != nil {
			return err
		}
	}
	return nil
}

func withMap(index int, entries uint32, do func(*ebpf.Map) error) error {
	m, err := ebpf.NewMap(innerSpec(mapLayout(index), entries))
	if err != nil {
		return err
	}
	return errors.Join(do(m), m.Close())
}

// TestPinsForeign puts foreign objects where planec's pins belong.
// TestPinsLoaded wants what an apply has read back to be believed once, and only while the maps are
// those, without a transaction since.
func TestPinsLoaded(t *testing.T) {
	img, other := generationImage(t, 6), generationImage(t, 7)
	ctx := t.Context()
	looks := func(p *Pins) *image.Image {
		s, err := p.ObserveFor(ctx, img)
		if err != nil {
			t.Fatal(err)
		}
		return s.Image
	}
	edit := func(p *Pins, do func(*Dataplane) error) {
		d, err := Open(p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(do(d), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
	record := func(d *Dataplane) error {
		return d.inSlot(stored+layout.Records, 0, func(m *ebpf.Map) error { return editEach(m, 40, 0x80) })
	}
	p, _ := pins(t)
	apply(t, p, img)
	for range 2 {
		if looks(p) != img {
			t.Error("what was loaded is not what is there")
		}
	}
	for name, change := range map[string]func(*Pins){
		"another process applied": func(p *Pins) { apply(t, NewPins(p.Dir), other) },
		"a process applied, and applied back": func(p *Pins) {
			apply(t, NewPins(p.Dir), other)
			apply(t, NewPins(p.Dir), img)
			edit(p, record)
		},
		"a map was replaced": func(p *Pins) {
			edit(p, func(d *Dataplane) error {
				slot, err := d.Active()
				return errors.Join(err, withMap(keys, 2000, func(m *ebpf.Map) error { return d.outer[keys].Put(slot, m) }))
			})
		},
		"it is the second look": func(p *Pins) { looks(p); edit(p, record) },
		"something failed then": func(p *Pins) { p.Doubt(); edit(p, record) },
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := pins(t)
			apply(t, p, other)
			apply(t, p, img)
			if change(p); looks(p) == img {
				t.Error("it is believed to be what was loaded")
			}
		})
	}
}

func TestPinsForeign(t *testing.T) {
	spec := outerSpec(mapLayout(keys))
	foreign := map[string]func(path string) error{
		"another kind of map": func(path string) error {
			return pinMap(&ebpf.MapSpec{Name: spec.Name, Type: ebpf.Hash, KeySize: 4, ValueSize: 4, MaxEntries: 2}, path)
		},
		"a map of another name": func(path string) error {
			other := outerSpec(mapLayout(keys))
			other.Name = "calico_nat"
			return pinMap(other, path)
		},
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	}
	for name, put := range foreign {
		t.Run(name, func(t *testing.T) {
			p, _ := pins(t)
			ctx := context.Background()
			if err := os.Mkdir(p.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(p.Dir, spec.Name)
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Observe(ctx); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), path) {
				t.Errorf("observing: %v", err)
			}
			if err := p.Apply(ctx, NewPlan(&State{}, generationImage(t, 1))); !errors.Is(err, ErrForeign) {
				t.Errorf("applying: %v", err)
			}
			if _, err := p.Clean(ctx); !errors.Is(err, ErrForeign) {
				t.Errorf("cleaning: %v", err)
			}
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("it was not left alone: %v", err)
			}
		})
	}
}

func pinMap(spec *ebpf.MapSpec, path string) error {
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return err
	}
	return errors.Join(m.Pin(path), m.Close())
}

// TestPinsNoFileSystem uses a directory that cannot hold pins.
func TestPinsNoFileSystem(t *testing.T) {
	require(t)
	p := NewPins(filepath.Join(t.TempDir(), "bpf", "planec"))
	ctx := context.Background()
	if _, err := p.Observe(ctx); !errors.Is(err, ErrNoBPFFS) {
		t.Errorf("observing: %v", err)
	}
	if err := p.Apply(ctx, NewPlan(&State{}, generationImage(t, 1))); !errors.Is(err, ErrNoBPFFS) {
		t.Errorf("applying: %v", err)
	}
	if removed, err := p.Clean(ctx); err != nil || removed != nil {
		t.Errorf("cleaning where nothing is: %v, %v", removed, err)
	}
}

// TestPinsLocked applies while another process holds the lock.
func TestPinsLocked(t *testing.T) {
	p, _ := pins(t)
	img := generationImage(t, 1)
	apply(t, p, img)
	unlock, err := p.lock(context.Background(), unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	other := NewPins(p.Dir)
	other.LockWait = 20 * time.Millisecond
	if _, err := other.Observe(context.Background()); !errors.Is(err, ErrLocked) {
		t.Errorf("observing: %v", err)
	}
	if err := other.Apply(context.Background(), NewPlan(&State{}, img)); !errors.Is(err, ErrLocked) {
		t.Errorf("applying: %v", err)
	}
	unlock()
	serving(t, p, img)
}

// TestOldKernel maps errors of kernels before 5.10.
func TestOldKernel(t *testing.T) {
	for _, err := range []error{ebpf.ErrNotSupported, unix.ENOSYS} {
		if got := explain(fmt.Errorf("map create: %w", err)); !errors.Is(got, ErrKernel) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
