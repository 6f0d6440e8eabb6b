package golden

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelMaps loads the image of every case and of generated clusters into real
// kernel maps, consecutively into the same dataplane, and interprets what it reads
// back from the kernel.
func TestKernelMaps(t *testing.T) {
	testkit.Require(t)
	d, err := live.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	b := image.New(backends.DefaultOptions())
	fromKernel := func(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		img, err := image.Read(a.File(image.ImageFile))
		if err != nil {
			return nil, err
		}
		if err := d.Load(img); err != nil {
			return nil, err
		}
		back, err := d.Read()
		if err != nil {
			return nil, err
		}
		if back.Digest() != img.Digest() {
			return nil, fmt.Errorf("image %x was loaded, %x is there", img.Digest(), back.Digest())
		}
		i := ebpf.New(back)
		return func(packet eval.Packet) (eval.Result, error) { return i.Eval(packet), nil }, nil
	}
	var cases, generated interptest.Count
	for _, c := range loadCases(t) {
		in, _, _ := load(t, c)
		program, _ := compiler.Compile(in)
		packets := make([]eval.Packet, 0, len(c.Flows))
		for _, f := range c.Flows {
			packets = append(packets, f.Packet)
		}
		cases.Add(interptest.Program(t, c.Name, program, b, fromKernel, packets, len(packets)))
	}
	record("ebpf", "kernel (maps read back)", "golden cases", cases)
	for i := range *clusters {
		s := *seed + uint64(i)
		c := randomcluster.New(s)
		program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		packets := interptest.Packets(rand.New(rand.NewPCG(s, 4)).Uint64(), program, *packets)
		generated.Add(interptest.Program(t, fmt.Sprintf("seed %d", s), program, b, fromKernel, packets, len(packets)))
	}
	record("ebpf", "kernel (maps read back)", "generated", generated)
	t.Logf("golden cases: %v; generated, from seed %d: %v", cases, *seed, generated)
}
