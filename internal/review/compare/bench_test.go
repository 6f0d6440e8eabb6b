package compare_test

import (
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/testing/clustergen"
)

// state is a cluster of 2,000 pods in 100 namespaces with 200 policies and 500
// Services, without its first policies.
func state(without int) *compare.State {
	set := clustergen.PolicyObjects(clustergen.PolicySize{Pods: 2000, Nodes: 20, Namespaces: 100, Policies: 200})
	services := clustergen.Objects(clustergen.Size{Services: 500, Endpoints: 10, Nodes: 20})
	services.Nodes = nil
	set.Append(services)
	set.NetworkPolicies = set.NetworkPolicies[without:]
	return compare.NewState(&set, compiler.Prepare(&set, objects.Config{}))
}

// BenchmarkStates is a review of a change in a large cluster: what it costs with
// one policy gone, and with a hundred.
func BenchmarkStates(b *testing.B) {
	for _, bench := range []struct {
		name string
		gone int
	}{{"one", 1}, {"hundred", 100}} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				r := compare.States(state(0), state(bench.gone))
				b.ReportMetric(float64(len(r.Findings)), "findings")
			}
		})
	}
}
