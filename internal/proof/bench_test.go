package proof_test

import (
	"fmt"
	"math"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/clustergen"
)

// BenchmarkProve proves the files of a whole cluster's Services, from the parsing of the
// files on. The
// exponent says how the time grows with the Services, from the smallest size to the largest.
func BenchmarkProve(b *testing.B) {
	for _, backend := range registry.All(backends.DefaultOptions()) {
		seconds := make(map[int]float64)
		for _, n := range []int{1000, 3000, 10000} {
			b.Run(fmt.Sprintf("%s/%dx5", backend.Name(), n), func(b *testing.B) {
				set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
				benchProve(b, backend, &set)
				seconds[n] = b.Elapsed().Seconds() / float64(b.N)
				if small := seconds[1000]; n == 10000 && small > 0 {
					b.ReportMetric(math.Log10(seconds[n]/small), "exponent")
				}
			})
		}
		b.Run(backend.Name()+"/policies", func(b *testing.B) {
			set := clustergen.PolicyObjects(clustergen.LargePolicies)
			benchProve(b, backend, &set)
		})
	}
}

func benchProve(b *testing.B, backend backends.Backend, set *objects.Set) {
	p, _ := compiler.Compile(compiler.Input{Objects: set, Node: set.Nodes[0].Object.Name, Config: objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}})
	a, err := backend.Emit(p)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		r, err := proof.Artifact(p, backend, a, 1)
		if err != nil || len(r.Differences) > 0 {
			b.Fatal(err, r.Differences)
		}
		b.ReportMetric(float64(r.Boxes), "boxes")
	}
}
