package calico_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
)

// TestHistory changes one cluster into another, kind by kind: after every change the
// rules are those of a compilation of everything.
func TestHistory(t *testing.T) {
	for seed := range uint64(15) {
		set := generator{rand.New(rand.NewPCG(seed, 7))}.cluster()
		x := compiler.NewIncremental(set, "node-a", objects.Config{})
		next := generator{rand.New(rand.NewPCG(seed+1000, 7))}.cluster()
		to := next.Lists()
		for i, l := range set.Lists() {
			u := compiler.Update{}
			if l.Kind() == "EndpointSlice" {
				set.EndpointSlices = next.EndpointSlices
				if seed%2 == 0 {
					set.EndpointSlices = nil
				}
				s := next.EndpointSlices[0]
				u.Slices = []compiler.SliceUpdate{{Name: objects.NameOf(s.Object), Slice: s}}
				if seed%2 == 0 {
					u.Slices[0].Slice.Object = nil
				}
			} else {
				l.Delete(func(int, metav1.Object) bool { return true })
				for o := range to[i].All() {
					l.Add(o)
				}
				others := *set
				u.Others = &others
			}
			x.Apply(u)
			want, _ := compiler.Compile(compiler.Input{Objects: set, Node: "node-a"})
			want.Normalize()
			if got := x.Program(); !bytes.Equal(got.Text(), want.Text()) {
				t.Fatalf("history %d, after %s:\n%s\nwant\n%s", seed, l.Kind(), got.Text(), want.Text())
			}
		}
	}
}
