package compare_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/testing/randomcluster"
)

func prepared(c randomcluster.Cluster) *compare.State {
	return compare.NewState(&c.Objects, compiler.Prepare(&c.Objects, c.Config))
}

// TestOrderOfObjectsDoesNotMatter compares random clusters, in two orders.
func TestOrderOfObjectsDoesNotMatter(t *testing.T) {
	for seed := uint64(1); seed < 40; seed++ {
		before, after := randomcluster.New(seed), randomcluster.New(seed+2)
		after.Config = before.Config
		want := compare.States(prepared(before), prepared(after))
		r := rand.New(rand.NewPCG(seed, 1))
		for _, set := range []*objects.Set{&before.Objects, &after.Objects} {
			shuffle(r, set.Services)
			shuffle(r, set.EndpointSlices)
			shuffle(r, set.Pods)
			shuffle(r, set.Nodes)
			shuffle(r, set.Namespaces)
			shuffle(r, set.NetworkPolicies)
			shuffle(r, set.ClusterNetworkPolicies)
		}
		if got := compare.States(prepared(before), prepared(after)); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: the report depends on the order of objects:\n%v\n%v", seed, sentences(got), sentences(want))
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func sentences(r *diffreport.Report) string {
	var out []string
	for i := range r.Findings {
		out = append(out, r.Findings[i].Sentence())
	}
	return strings.Join(out, "\n")
}

// TestNothingDiffersFromItself finds nothing where there is nothing.
func TestNothingDiffersFromItself(t *testing.T) {
	for seed := uint64(1); seed < 60; seed++ {
		c := randomcluster.New(seed)
		if r := compare.States(prepared(c), prepared(randomcluster.New(seed))); !r.Empty() {
			t.Errorf("seed %d: %v", seed, sentences(r))
		}
	}
}

// TestOpenedIsClosedBackwards compares both ways: what opens one way closes the
// other, in as many sentences of the same ports.
func TestOpenedIsClosedBackwards(t *testing.T) {
	for seed := uint64(1); seed < 40; seed += 2 {
		before, after := randomcluster.New(seed), randomcluster.New(seed)
		after.Objects.NetworkPolicies = randomcluster.New(seed + 100).Objects.NetworkPolicies
		there, back := compare.States(prepared(before), prepared(after)), compare.States(prepared(after), prepared(before))
		if a, b := there.Count(diffreport.Opened) > 0, back.Count(diffreport.Closed) > 0; a != b {
			t.Errorf("seed %d: opened %v, closed backwards %v", seed, a, b)
		}
	}
}
