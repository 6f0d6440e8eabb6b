package ebpf_test

import (
	"os"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelMaps loads images into real maps, reads them back, and interprets the
// result.
func TestKernelMaps(t *testing.T) {
	const programs, packetsEach = 100, 1000
	d := openKernel(t)
	count := make(map[eval.Verdict]int)
	for i := range uint64(programs) {
		s := *seed + i
		p := randomProgram(s)
		got := throughKernel(t, d, p)
		compareAll(t, s, withoutOrigins(p), got, packetsEach, count)
	}
	t.Logf("%d programs from seed %d, %d packets each: %v", programs, *seed, packetsEach, count)
}

// TestKernelPolicies does the same with random programs in combinations that the
// compiler does not produce.
func TestKernelPolicies(t *testing.T) {
	d := openKernel(t)
	b := image.New(backends.DefaultOptions())
	interpret := func(p *ir.Program, _ backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		n := throughKernel(t, d, p)
		return func(p eval.Packet) (eval.Result, error) { return n(p), nil }, nil
	}
	t.Log(interptest.RunPolicies(t, b, interpret, *seed, 100, 400))
	t.Log(interptest.RunDialects(t, b, interpret, *seed, 100, 400))
}

// openKernel skips where there are no eBPF maps, and fails in CI instead.
func openKernel(t *testing.T) *live.Dataplane {
	t.Helper()
	d, err := live.Open("")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but this machine cannot make eBPF maps: %v", err)
	} else if err != nil {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot make eBPF maps: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// throughKernel returns an interpreter of a program's image as read back from the kernel.
func throughKernel(t *testing.T, d *live.Dataplane, p *ir.Program) func(eval.Packet) eval.Result {
	t.Helper()
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Load(img); err != nil {
		t.Fatal(err)
	}
	got, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest() != img.Digest() {
		t.Fatalf("image %x was loaded, %x is there", img.Digest(), got.Digest())
	}
	return interp.New(got).Eval
}

// withoutOrigins removes what a kernel does not store.
func withoutOrigins(p *ir.Program) *ir.Program {
	for i := range p.Pools {
		for j := range p.Pools[i].Endpoints {
			p.Pools[i].Endpoints[j].SetOrigin(ir.Origin{})
		}
	}
	return p
}
