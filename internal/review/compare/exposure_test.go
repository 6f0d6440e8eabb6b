package compare_test

import (
	"testing"

	"github.com/planec/planec/internal/review/compare"
)

// BenchmarkExposures lists what is open in a cluster of 2,000 pods with 200 policies.
func BenchmarkExposures(b *testing.B) {
	s := state(0)
	for b.Loop() {
		list, _ := compare.Exposures(s)
		b.ReportMetric(float64(len(list)), "exposures")
	}
}
