package conntrack

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/randomcluster"
)

// TestStaleOfDeltas changes random clusters step by step: the fragments of every
// change say the same as the whole programs.
func TestStaleOfDeltas(t *testing.T) {
	filters, steps := 0, 0
	for seed := range uint64(60) {
		c := randomcluster.New(seed)
		x := compiler.NewIncremental(&c.Objects, randomcluster.Node, c.Config)
		rng := rand.New(rand.NewPCG(seed, 5))
		before := x.Program()
		for range 12 {
			delta := x.Apply(randomUpdate(rng))
			after := x.Program()
			whole := Stale(before, after)
			if !delta.Whole {
				steps++
				if part := Stale(delta.Before, delta.After); !(part.Empty() && whole.Empty()) && !reflect.DeepEqual(part, whole) {
					t.Fatalf("seed %d: the fragments say %v, the programs %v", seed, part, whole)
				}
			}
			filters += len(whole.Frontends)
			before = after
		}
	}
	t.Logf("%d changes, %d filters", steps, filters)
	if steps < 500 || filters < 100 {
		t.Error("that is too few to show anything")
	}
}

// randomUpdate replaces a Service or a slice by its version in another cluster, or
// removes it.
func randomUpdate(rng *rand.Rand) (u compiler.Update) {
	other := randomcluster.New(1000 + rng.Uint64N(50)).Objects
	switch rng.IntN(4) {
	case 0:
		s := other.Services[rng.IntN(len(other.Services))]
		u.Services = []compiler.ServiceUpdate{{Name: objects.NameOf(s.Object), Service: s}}
	case 1:
		s := other.Services[rng.IntN(len(other.Services))].Object
		u.Services = []compiler.ServiceUpdate{{Name: objects.NameOf(s)}}
	default:
		if len(other.EndpointSlices) == 0 {
			return u
		}
		s := other.EndpointSlices[rng.IntN(len(other.EndpointSlices))]
		u.Slices = []compiler.SliceUpdate{{Name: objects.NameOf(s.Object), Slice: s}}
		if rng.IntN(4) == 0 {
			u.Slices[0].Slice.Object = nil
		}
	}
	return u
}
