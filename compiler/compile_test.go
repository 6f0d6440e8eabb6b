package compiler_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/randomcluster"
	"github.com/planec/planec/ir"
)

// TestPure compiles random clusters from shuffled objects: every program is
// valid, and the order of the input leaves no trace in it.
func TestPure(t *testing.T) {
	for seed := range uint64(400) {
		c := randomcluster.New(seed)
		in := compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config}
		program, diags := compiler.Compile(in)
		if err := ir.Verify(program); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := program.Text()
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 3 {
			shuffle(rng, &c.Objects)
			again, diagsAgain := compiler.Compile(in)
			if !bytes.Equal(again.Text(), want) {
				t.Fatalf("seed %d: another order gives another program", seed)
			}
			if !slices.Equal(diags, diagsAgain) {
				t.Fatalf("seed %d: another order gives other diagnostics:\n%v\n%v", seed, diags, diagsAgain)
			}
		}
	}
}

func shuffle(rng *rand.Rand, set *objects.Set) {
	shuffleList(rng, set.Services)
	shuffleList(rng, set.EndpointSlices)
	shuffleList(rng, set.Nodes)
}

func shuffleList[T any](rng *rand.Rand, list []T) {
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestSharedPreparation compiles nodes from one preparation in parallel.
func TestSharedPreparation(t *testing.T) {
	c := randomcluster.New(7)
	cluster := compiler.Prepare(&c.Objects, c.Config)
	for _, node := range cluster.Nodes() {
		t.Run(node, func(t *testing.T) {
			t.Parallel()
			got, _ := cluster.Program(node)
			want, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: node, Config: c.Config})
			if !bytes.Equal(got.Text(), want.Text()) {
				t.Error("a shared preparation gives another program")
			}
		})
	}
}
