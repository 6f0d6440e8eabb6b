package proof_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

var (
	clusters = flag.Int("clusters", 60, "how many generated clusters to prove for each backend")
	programs = flag.Int("programs", 30, "how many random programs with policies, and as many with those of other dialects")
	first    = flag.Uint64("seed", 1, "the first seed")
)

// cluster compiles a random cluster.
func cluster(seed uint64) *ir.Program {
	c := randomcluster.New(seed)
	program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	return program
}

// policies is a random program with policies in combinations that the compiler does not
// produce.
func policies(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	return p
}

// dialects is one with what only other dialects than Kubernetes' have.
func dialects(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 13))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomDialects(rng, p)
	return p
}

// TestRandom proves what backends emit for random programs.
func TestRandom(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		for kind, makes := range map[string]func(uint64) *ir.Program{"cluster": cluster, "policies": policies, "dialects": dialects} {
			t.Run(b.Name()+"/"+kind, func(t *testing.T) {
				t.Parallel()
				n, boxes, excluded := *programs, 0, 0
				if kind == "cluster" {
					n = *clusters
				}
				for seed := *first; seed < *first+uint64(n); seed++ {
					r := prove(t, fmt.Sprintf("seed %d", seed), b, makes(seed))
					boxes, excluded = boxes+r.Boxes, excluded+r.Excluded
				}
				t.Logf("%d programs, %d boxes of packets, %d excluded", n, boxes, excluded)
			})
		}
	}
}

func prove(t *testing.T, name string, b backends.Backend, p *ir.Program) proof.Report {
	t.Helper()
	a, err := b.Emit(p)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r, err := proof.Artifact(p, b, a, 3)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, d := range r.Differences {
		t.Errorf("%s: %v %+v: %s", name, d.Packet, d.Packet, d.Reason)
	}
	return r
}
