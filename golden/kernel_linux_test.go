package golden

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/randomcluster"
	"github.com/planec/planec/internal/testkit"
	"github.com/planec/planec/ir"
)

var (
	clusters = flag.Int("clusters", 50, "how many generated clusters to try in the kernel")
	packets  = flag.Int("packets", 200, "how many packets to send in each")
	seed     = flag.Uint64("seed", 1, "the first cluster's seed")
)

// TestKernelFlows makes every flow of every case a real connection.
func TestKernelFlows(t *testing.T) {
	testkit.Require(t, "nft")
	for _, c := range loadCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			in, options, _ := load(t, c)
			program, _ := compiler.Compile(in)
			flows := make([]testkit.Flow, 0, len(c.Flows))
			for _, f := range c.Flows {
				flows = append(flows, testkit.Flow{
					From: f.Packet.From, Src: f.Packet.Src, Dst: f.Packet.Dst,
					Protocol: f.Packet.Protocol, Port: f.Packet.Port,
				})
			}
			testkit.RunProgram(t, program, flows, loader(program, options))
		})
	}
}

// TestGeneratedClusters compares the evaluator and the kernel on clusters and
// packets that nobody chose. -seed, -clusters and -packets say which.
func TestGeneratedClusters(t *testing.T) {
	testkit.Require(t, "nft")
	t.Logf("%d clusters from seed %d, %d packets each", *clusters, *seed, *packets)
	for i := range *clusters {
		s := *seed + uint64(i)
		t.Run(fmt.Sprintf("seed-%d", s), func(t *testing.T) {
			c := randomcluster.New(s)
			program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
			flows := testkit.RandomFlows(rand.New(rand.NewPCG(s, 2)), program, *packets)
			testkit.RunProgram(t, program, flows, loader(program, backends.DefaultOptions()))
		})
	}
}

// loader puts the nftables rules of a program into a rig.
func loader(p *ir.Program, o backends.Options) func(*testkit.Rig) error {
	return func(r *testkit.Rig) error {
		artifact, err := nftables.New(o).Emit(p)
		if err != nil {
			return err
		}
		return r.LoadNFT(string(artifact.Files[0].Data))
	}
}
