package golden

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 50, "how many generated clusters to try in the kernel")
	packets  = flag.Int("packets", 200, "how many packets to send in each")
)

// kernels returns the kernels of this machine; IPVS runs in User Mode Linux.
func kernels() []testkit.Kernel {
	if uml.Inside() {
		return []testkit.Kernel{testkit.IPVS()}
	}
	return testkit.Kernels()
}

// besideOthers runs the kernels in parallel: most of the time they wait for dropped
// packets. Inside User Mode Linux TestLeaveRows is last.
func besideOthers(t *testing.T) {
	if !uml.Inside() {
		t.Parallel()
	}
}

// TestKernelFlows makes every flow of every case a real connection, in every
// kernel.
func TestKernelFlows(t *testing.T) {
	besideOthers(t)
	for _, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, k.Tools...)
			total := counter{}
			t.Run("cases", func(t *testing.T) {
				for _, c := range loadCases(t) {
					t.Run(c.Name, func(t *testing.T) {
						t.Parallel()
						in, options, _ := load(t, c)
						program, _ := compiler.Compile(in)
						total.add(try(t, k, program, options, caseFlows(c), len(c.Flows)))
					})
				}
			})
			record(k.Backend, "kernel ("+k.Name+")", "golden cases", total.Count)
		})
	}
}

// TestGeneratedClusters compares the evaluator and the kernels on random clusters
// and packets, as selected by -seed, -clusters and -packets.
func TestGeneratedClusters(t *testing.T) {
	besideOthers(t)
	for _, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, k.Tools...)
			total := counter{}
			t.Run("clusters", func(t *testing.T) {
				for i := range *clusters {
					s := *seed + uint64(i)
					t.Run(fmt.Sprintf("seed-%d", s), func(t *testing.T) {
						t.Parallel()
						c := randomcluster.New(s)
						program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
						// Make more packets than needed, because some may be refused.
						flows := testkit.RandomFlows(rand.New(rand.NewPCG(s, 2)), program, *packets*3/2)
						total.add(try(t, k, program, backends.DefaultOptions(), flows, *packets))
					})
				}
			})
			t.Logf("from seed %d: %v", *seed, total.Count)
			record(k.Backend, "kernel ("+k.Name+")", "generated", total.Count)
		})
	}
}

// counter sums the results of parallel tests.
type counter struct {
	sync.Mutex
	interptest.Count
}

func (c *counter) add(d interptest.Count) {
	c.Lock()
	defer c.Unlock()
	c.Count.Add(d)
}

func caseFlows(c Case) []testkit.Flow {
	flows := make([]testkit.Flow, 0, len(c.Flows))
	for _, f := range c.Flows {
		flows = append(flows, testkit.Flow{
			From: f.Packet.From, Src: f.Packet.Src, Dst: f.Packet.Dst,
			Protocol: f.Packet.Protocol, Port: f.Packet.Port,
		})
	}
	return flows
}

// try loads a program into a separate node and sends the flows that the backend
// claims to handle, up to the limit.
func try(t *testing.T, k testkit.Kernel, p *ir.Program, o backends.Options, flows []testkit.Flow, limit int) interptest.Count {
	t.Helper()
	selected, err := registry.Select(o, k.Backend)
	if err != nil {
		t.Fatal(err)
	}
	b := selected[0]
	artifact, err := b.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	count := interptest.Count{Programs: 1}
	sent, refused := claimed(b, p, flows, limit)
	count.Refused = refused
	report := testkit.RunProgram(t, p, sent, func(r *testkit.Rig) error { return k.Load(r, artifact.File) })
	count.Packets, count.Disagreements = len(sent), len(report.Disagreements)
	return count
}

// claimed removes the flows that the backend's Check refuses, counts them, and
// stops at the limit.
func claimed(b backends.Backend, p *ir.Program, flows []testkit.Flow, limit int) (sent []testkit.Flow, refused int) {
	isRefused := proof.NewSingle(b, p).Excludes
	e := eval.New(p)
	for _, f := range flows {
		if len(sent) == limit {
			break
		}
		packet := eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From}
		if isRefused(packet, e.Eval(packet)) {
			refused++
			continue
		}
		sent = append(sent, f)
	}
	return sent, refused
}
