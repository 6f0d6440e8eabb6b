package compiler_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestPure compiles random clusters from shuffled objects: every program is
// valid, and the order of the input leaves no trace in it.
func TestPure(t *testing.T) {
	policed := 0
	for seed := range uint64(400) {
		c := randomcluster.New(seed)
		in := compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config}
		program, diags := compiler.Compile(in)
		if err := ir.Verify(program); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, d := range diags {
			if d.Code == diag.RefusedPolicy {
				t.Fatalf("seed %d: the generator makes bad policies: %v", seed, d)
			}
		}
		policed += len(program.Policy.Profiles)
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
	if policed < 200 {
		t.Errorf("only %d profiles", policed)
	}
}

func shuffle(rng *rand.Rand, set *objects.Set) {
	shuffleList(rng, set.Services)
	shuffleList(rng, set.EndpointSlices)
	shuffleList(rng, set.Nodes)
	shuffleList(rng, set.Namespaces)
	shuffleList(rng, set.Pods)
	shuffleList(rng, set.NetworkPolicies)
	shuffleList(rng, set.ClusterNetworkPolicies)
}

func shuffleList[T any](rng *rand.Rand, list []T) {
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestSharedPreparation compiles nodes from one preparation in parallel, and each
// alone, which takes another way.
func TestSharedPreparation(t *testing.T) {
	for seed := range uint64(60) {
		c := randomcluster.New(seed)
		cluster := compiler.Prepare(&c.Objects, c.Config)
		for _, node := range cluster.Nodes() {
			t.Run(fmt.Sprintf("%d-%s", seed, node), func(t *testing.T) {
				t.Parallel()
				got, _ := cluster.Program(node)
				want, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: node, Config: c.Config})
				if !bytes.Equal(got.Text(), want.Text()) {
					t.Error("a shared preparation gives another program")
				}
			})
		}
	}
}
