package compiler_test

import (
	"slices"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/randomcluster"
)

// TestIncrementalDiagnostics wants what is said of the objects after each change
// to be what a whole compilation says.
func TestIncrementalDiagnostics(t *testing.T) {
	said := 0
	for seed := range uint64(60) {
		h := newHistory(seed)
		set := h.set()
		x := compiler.NewIncremental(&set, randomcluster.Node, h.config)
		for n := range 12 {
			x.Apply(h.step())
			set := h.set()
			_, want := compiler.Compile(compiler.Input{Objects: &set, Node: randomcluster.Node, Config: h.config})
			got := x.Diagnostics()
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: said\n%v\nwant\n%v", seed, n, got, want)
			}
			said += len(want)
		}
	}
	if said < 1000 {
		t.Errorf("only %d findings were compared", said)
	}
}
