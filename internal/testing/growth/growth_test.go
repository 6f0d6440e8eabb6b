package growth_test

import (
	"context"
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/growth"
)

// most is the exponent of n log n at sizes where log n grows by a fifth.
const most = 1.25

// TestGrowth wants the work for every hostile shape to grow no faster than its
// input and output.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("builds planec anew")
	}
	p, err := growth.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slices.Concat(clustergen.HostilePolicies(), clustergen.HostileServices()) {
		grows(t, s, p.Measure)
	}
	for _, s := range clustergen.HostileLint() {
		grows(t, s, p.MeasureLint)
	}
}

// grows measures a shape at one, two and four times its size.
func grows(t *testing.T, s clustergen.Shape, measure func(context.Context, clustergen.Shape, int) (growth.Sample, error)) {
	t.Run(s.Name, func(t *testing.T) {
		var samples [3]growth.Sample
		for i := range samples {
			var err error
			if samples[i], err = measure(t.Context(), s, s.Size<<i); err != nil {
				t.Fatal(err)
			}
		}
		e := growth.Exponent(samples[0], samples[1], samples[2])
		t.Logf("%.0f statements for %.0f bytes, %.0f for %.0f, %.0f for %.0f: exponent %.2f", samples[0].Statements, samples[0].Bytes,
			samples[1].Statements, samples[1].Bytes, samples[2].Statements, samples[2].Bytes, e)
		if e > most {
			t.Errorf("the work grows as the size to the power of %.2f", e)
		}
	})
}
