package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
)

// require skips if bpf(2) is not available, and fails in CI instead.
func require(t testing.TB) {
	t.Helper()
	m, err := ebpf.NewMap(innerSpec(layout.ActiveMap(), 1))
	if err == nil {
		m.Close()
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but this machine cannot make eBPF maps: %v", err)
	}
	t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot make eBPF maps: %v", err)
}

func open(t testing.TB) *Dataplane {
	t.Helper()
	require(t)
	d, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// randomImage is that of a generated cluster, three of four with policies.
func randomImage(t testing.TB, seed uint64) *image.Image {
	t.Helper()
	c := randomcluster.New(seed)
	p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	if seed%4 != 0 {
		irtest.AddRandomPolicy(rand.New(rand.NewPCG(seed, 1)), p)
	}
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// bigImage is that of n Services of 5 endpoints each.
func bigImage(t testing.TB, n int) *image.Image {
	t.Helper()
	set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestLoadAndReadBack(t *testing.T) {
	d := open(t)
	if _, err := d.Read(); !errors.Is(err, ErrNoImage) {
		t.Errorf("before the first load: %v", err)
	}
	for seed := range uint64(20) {
		img := randomImage(t, seed)
		if err := d.Load(img); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := d.Verify(img); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		if err := d.Verify(randomImage(t, seed+1000)); !errors.Is(err, image.ErrDigest) {
			t.Errorf("seed %d: another image verifies: %v", seed, err)
		}
	}
}

// TestFrozen tries to change every map of the active image that does not belong to Services.
func TestFrozen(t *testing.T) {
	d := open(t)
	if err := d.Load(bigImage(t, 10)); err != nil {
		t.Fatal(err)
	}
	slot, err := d.Active()
	if err != nil {
		t.Fatal(err)
	}
	for i := range numMaps {
		l := mapLayout(i)
		m, err := d.inner(i, slot)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Put(make([]byte, l.KeySize), make([]byte, l.ValueSize)); i < stored && !errors.Is(err, unix.EPERM) {
			t.Errorf("map %s can be changed: %v", l.Name, err)
		}
		if info, err := m.Info(); err != nil || info.Frozen() != (i < stored) || m.Flags() != l.Flags {
			t.Errorf("map %s: flags %#x, %v", l.Name, m.Flags(), err)
		}
		m.Close()
	}
}

// TestInPlace: Services change in the maps that they are in, and a generation of the rest is
// no reason to touch them.
func TestInPlace(t *testing.T) {
	d := open(t)
	ids := func(n uint16) (out [numMaps]uint32) {
		if err := d.Load(generationImage(t, n)); err != nil {
			t.Fatal(err)
		}
		slot, err := d.Active()
		if err != nil {
			t.Fatal(err)
		}
		for i, outer := range d.outer {
			if err := outer.Lookup(slot, &out[i]); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	first, services, both := ids(2), ids(3), ids(4)
	if services != first {
		t.Errorf("Services changed, and maps: %v, %v", first, services)
	}
	if [layout.NumStoreMaps]uint32(both[stored:]) != [layout.NumStoreMaps]uint32(first[stored:]) || both[0] == first[0] {
		t.Errorf("the rest changed, and the maps: %v, %v", first, both)
	}
}

// TestWaitByWriting waits as on kernels that refuse membarrier(2).
func TestWaitByWriting(t *testing.T) {
	d := open(t)
	if err := d.waitByWriting(); !errors.Is(err, ErrNoImage) {
		t.Errorf("without an image: %v", err)
	}
	img := generationImage(t, 3)
	if err := d.Load(img); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.waitByWriting(), d.Verify(img)); err != nil {
		t.Error(err)
	}
}

// TestCrash stops a load before each of its steps: before the flip the old image
// is active, afterwards the new one. The next load succeeds.
func TestCrash(t *testing.T) {
	d := open(t)
	old := randomImage(t, 1)
	if err := d.Load(old); err != nil {
		t.Fatal(err)
	}
	next := uint64(2)
	for _, at := range []string{"create", "fill", "compare", "freeze", "slot", "flip", "wait", "read", "pin"} {
		crash := errors.New("the process died")
		img := randomImage(t, next)
		next++
		d.step = func(name string) error {
			if name == at {
				return crash
			}
			return nil
		}
		if err := d.Load(img); !errors.Is(err, crash) {
			t.Fatalf("%s: %v", at, err)
		}
		d.step = func(string) error { return nil }
		serves := old
		if at == "wait" || at == "read" || at == "pin" {
			serves = img
		}
		if err := d.Verify(serves); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		old = randomImage(t, next)
		next++
		if err := d.Load(old); err != nil {
			t.Errorf("%s: the next load: %v", at, err)
		}
		if err := d.Verify(old); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// TestVerifySeesForeignMaps puts a foreign map into the active slot.
func TestVerifySeesForeignMaps(t *testing.T) {
	d := open(t)
	img := bigImage(t, 3)
	for i := range numMaps {
		l, entries := mapLayout(i), uint32(2000)
		if i < stored {
			entries = img.Map(restMaps[i]).MaxEntries()
		}
		if err := d.Load(img); err != nil {
			t.Fatal(err)
		}
		slot, err := d.Active()
		if err != nil {
			t.Fatal(err)
		}
		m, err := ebpf.NewMap(innerSpec(l, entries))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.outer[i].Put(slot, m); err != nil {
			t.Fatal(err)
		}
		m.Close()
		if err := d.Verify(img); err == nil && l.Name != "source" && (i >= stored || img.Map(restMaps[i]).Len() > 0) {
			t.Errorf("map %s: an empty one verifies", l.Name)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1000, 10000, 30000} {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			benchmarkLoad(b, bigImage(b, n))
		})
	}
	b.Run("policies=1000", func(b *testing.B) { benchmarkLoad(b, policyImage(b)) })
}

// policyImage is that of a node with 250 pods of 10,000 under 1,000 policies.
func policyImage(t testing.TB) *image.Image {
	t.Helper()
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// benchmarkLoad is a first load, into new maps.
func benchmarkLoad(b *testing.B, img *image.Image) {
	require(b)
	steps := make(map[string]time.Duration)
	before := cpu(b)
	for b.Loop() {
		d, err := Open("")
		if err != nil {
			b.Fatal(err)
		}
		stop := timeSteps(d, steps)
		if err := d.Load(img); err != nil {
			b.Fatal(err)
		}
		stop()
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	for name, took := range steps {
		b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), name+"-ms")
	}
}

// cpu is the processor time of this process, which is independent of other processes.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timeSteps adds how long each step of the next load takes; the function that it
// returns ends the last one.
func timeSteps(d *Dataplane, took map[string]time.Duration) func() {
	last, since := "", time.Now()
	d.step = func(name string) error {
		if last != "" {
			took[last] += time.Since(since)
		}
		last, since = name, time.Now()
		return nil
	}
	return func() { took[last] += time.Since(since) }
}

func BenchmarkVerify(b *testing.B) {
	d, img := open(b), bigImage(b, 10000)
	if err := d.Load(img); err != nil {
		b.Fatal(err)
	}
	before := cpu(b)
	for b.Loop() {
		if err := d.Verify(img); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
