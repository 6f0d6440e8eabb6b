package golden

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

var everyVeth = flag.Bool("every-veth", false, "try all cases with policies beside the programs of pods' interfaces, and not one in four")

// TestVethBesideRules makes the flows of cases and of generated clusters real connections through
// nodes that have both: nftables' rules, and the programs at pods' interfaces, which leave to the
// rules what they cannot judge.
func TestVethBesideRules(t *testing.T) {
	testkit.Require(t, "nft")
	t.Parallel()
	policed := 0
	for _, c := range loadCases(t) {
		in, options, _ := load(t, c)
		program, _ := compiler.Compile(in)
		if len(program.Policy.Profiles) == 0 {
			continue
		}
		if policed++; policed%4 != 1 && !*everyVeth {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			besideRules(t, program, options, caseFlows(c))
		})
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed-", seed), func(t *testing.T) {
			t.Parallel()
			c := randomcluster.New(seed)
			program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
			besideRules(t, program, backends.DefaultOptions(), testkit.RandomFlows(rand.New(rand.NewPCG(seed, 2)), program, 150))
		})
	}
}

func besideRules(t *testing.T, p *ir.Program, o backends.Options, flows []testkit.Flow) {
	t.Helper()
	b := nftables.New(o)
	artifact, err := b.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	sent, _ := claimed(b, p, flows, len(flows))
	testkit.RunProgram(t, p, sent, func(r *testkit.Rig) error {
		if err := r.LoadNFT(string(artifact.File("rules.nft"))); err != nil {
			return err
		}
		return atInterfaces(t, r, p, true)
	})
}

// TestVethAlone makes flows of random policies real connections through nodes that have no rules.
func TestVethAlone(t *testing.T) {
	testkit.Require(t)
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 17))
			p := irtest.RandomProgram(rng)
			irtest.AddRandomPolicy(rng, p)
			p.Frontends, p.ClusterIPs, p.HealthChecks, p.Node.ServiceCIDRs, p.Masquerade = nil, nil, nil, nil, ir.Masquerade{}
			flows := testkit.RandomFlows(rng, p, 160)
			p.Pools = nil
			testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error { return atInterfaces(t, r, p, false) })
		})
	}
}

// atInterfaces attaches the programs to all pods of a rig.
func atInterfaces(t *testing.T, r *testkit.Rig, p *ir.Program, rules bool) error {
	t.Helper()
	i := &live.Interfaces{Dir: testkit.BPFFS(t), PacketRules: rules}
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		return err
	}
	pins := live.NewPins(i.Dir)
	have, err := pins.Observe(context.Background())
	if err != nil {
		return err
	}
	if err := pins.Apply(context.Background(), live.NewPlan(have, img)); err != nil {
		return err
	}
	return r.Do(func() error {
		steps, err := i.Attach(context.Background())
		if err == nil && len(p.Policy.Profiles) > 0 && len(steps) == 0 {
			err = fmt.Errorf("nothing was attached")
		}
		return err
	})
}
