package golden

import (
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
)

// TestProofs proves the files of every case, for every backend: that they do with every
// packet what the program says.
func TestProofs(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		t.Run(b.Name(), func(t *testing.T) {
			t.Parallel()
			boxes := 0
			for _, c := range loadCases(t) {
				in, _, _ := load(t, c)
				program, _ := compiler.Compile(in)
				artifact, err := b.Emit(program)
				if err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
				report, err := proof.Artifact(program, b, artifact, 3)
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
				for _, d := range report.Differences {
					t.Errorf("%s: %v: %s", c.Name, d.Packet, d.Reason)
				}
				boxes += report.Boxes
			}
			t.Logf("%d boxes of packets", boxes)
		})
	}
}
