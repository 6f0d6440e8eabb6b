package proofmutants_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/proofmutants"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	confirmed     = flag.Int("confirmed", 14, "how many counterexamples to send in each kernel")
	confirmedIPVS = flag.Int("confirmed-ipvs", 4, "how many in that of User Mode Linux")
	first         = flag.Uint64("seed", 1, "the first seed")
)

// TestKernelConfirms loads wrong files that a proof refutes, and sends a packet of the
// counterexample: the kernel must do what the proof says that the files do, and with the
// right files what the program says. Only packets count of which one connection shows
// which of both it is.
func TestKernelConfirms(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, k.Tools...)
			t.Parallel()
			list, err := registry.Select(backends.DefaultOptions(), k.Backend)
			if err != nil {
				t.Fatal(err)
			}
			load := func(r *testkit.Rig, a backends.Artifact) error { return k.Load(r, a.File) }
			c := &confirmation{T: t, loader: func(*testing.T) loader { return load }, backend: list[0], program: programOf}
			c.all()
		})
	}
}

// loader loads files into a rig's node.
type loader func(*testkit.Rig, backends.Artifact) error

// confirmation counts what a kernel says of wrong files.
type confirmation struct {
	*testing.T
	loader  func(*testing.T) loader
	backend backends.Backend
	program func(seed uint64) *ir.Program
	// decides reports whether what is loaded decides about a packet, and nothing else
	// does; nil is about all.
	decides func(*ir.Program, eval.Packet, *eval.Result) bool
	// sockets says that sockets are translated, and no packet is: sources stay.
	sockets                    bool
	confirmed, refused, silent int
}

// programOf returns programs of clusters and random ones with policies in turn.
func programOf(seed uint64) *ir.Program {
	if seed%2 == 0 {
		c := randomcluster.New(seed)
		program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		return program
	}
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	return p
}

// all confirms as many counterexamples as it must.
func (c *confirmation) all() {
	for seed := *first; c.confirmed < *confirmed && seed < *first+1000 && !c.Failed(); seed++ {
		c.try(seed, c.program(seed))
	}
	c.Logf("%d counterexamples confirmed; %d wrong files that the kernel refuses; %d differences that one connection cannot show", c.confirmed, c.refused, c.silent)
	if c.confirmed < *confirmed {
		c.Errorf("only %d of %d", c.confirmed, *confirmed)
	}
}

// try tries one mutant in the files and, of every second program, one of an emitter.
func (c *confirmation) try(seed uint64, p *ir.Program) {
	rng := rand.New(rand.NewPCG(seed, 23))
	right, err := c.backend.Emit(p)
	if err != nil {
		c.Fatalf("seed %d: %v", seed, err)
	}
	if m, ok := proofmutants.Of(rng, c.backend.Name(), right); ok {
		c.mutant(fmt.Sprintf("seed %d", seed), rng, p, right, &m)
	}
	m, ok, err := proofmutants.OfEmitter(rng, c.backend, p)
	if err != nil {
		c.Fatalf("seed %d: %v", seed, err)
	}
	if ok && seed%4 < 2 && c.confirmed < *confirmed {
		c.mutant(fmt.Sprintf("seed %d", seed), rng, p, right, &m)
	}
}

// mutant confirms one difference, if a connection can show one.
func (c *confirmation) mutant(name string, rng *rand.Rand, p *ir.Program, right backends.Artifact, m *proofmutants.Mutant) {
	report, err := proof.Artifact(p, c.backend, m.Artifact, 40)
	if err != nil || len(report.Differences) == 0 {
		return
	}
	files, err := interp.New(c.backend.Name(), m.Artifact, p.Node.Addresses, false)
	if err != nil {
		c.Fatalf("%s: %v", name, err)
	}
	e := eval.New(p)
	for i := range report.Differences {
		f, ok := proofmutants.Flow(rng, p, &report.Differences[i].Box)
		if !ok {
			continue
		}
		packet := proofmutants.RigPacket(f, p)
		want := e.Eval(packet)
		got, err := files.Eval(packet)
		if err != nil || c.decides != nil && !c.decides(p, packet, &want) {
			continue
		}
		if c.sockets {
			withSource(&want)
			withSource(&got)
		}
		if !proofmutants.TellsApart(p, f, want, got) || !proofmutants.Reachable(got) {
			continue
		}
		c.send(fmt.Sprintf("%s, %v\n%v", name, f, m), p, right, m.Artifact, f, want, got)
		return
	}
	c.silent++
}

// withSource is the result with the source as it is.
func withSource(r *eval.Result) {
	r.Masquerade = false
	for i := range r.Endpoints {
		r.Endpoints[i].Masquerade = false
	}
}

// send sends the flow through the wrong files and through the right ones.
func (c *confirmation) send(name string, p *ir.Program, right, wrong backends.Artifact, f testkit.Flow, want, got eval.Result) {
	spec := testkit.SpecFor(p, []testkit.Flow{f})
	for _, e := range got.Endpoints {
		spec.Ports = append(spec.Ports, testkit.Port{Protocol: f.Protocol, Number: e.Address.Port()})
	}
	refused := c.one(name+"\nwrong files", spec, wrong, f, got)
	if refused {
		c.refused++
		return
	}
	if c.one(name+"\nright files", spec, right, f, want) {
		c.Errorf("%s: the kernel refuses the right files", name)
	}
	c.confirmed++
}

// one sends the flow through files, and reports whether the kernel refuses them.
func (c *confirmation) one(name string, spec testkit.Spec, files backends.Artifact, f testkit.Flow, result eval.Result) (refused bool) {
	c.Run("files", func(t *testing.T) {
		load := c.loader(t)
		r := testkit.New(t, spec)
		if err := load(r, files); err != nil {
			t.Logf("%s\nthe kernel refuses the files: %v", name, err)
			refused = true
			return
		}
		report, err := r.Check(t.Context(), []testkit.Flow{f}, func(eval.Packet) eval.Result { return result }, testkit.DefaultTimeout)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, d := range report.Disagreements {
			t.Errorf("%s: %v", name, d)
		}
	})
	return refused
}
