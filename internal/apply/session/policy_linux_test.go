package session_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
)

// BenchmarkPolicyChange is one of 1,000 policies changed, from the object to the
// kernel's acknowledgement, alone and beside Services.
func BenchmarkPolicyChange(b *testing.B) {
	testkit.Require(b, "nft")
	for _, services := range []int{0, 10000} {
		b.Run(fmt.Sprintf("services=%d", services), func(b *testing.B) { benchmarkPolicyChange(b, services) })
	}
}

func benchmarkPolicyChange(b *testing.B, services int) {
	r := testkit.New(b, testkit.Spec{})
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	beside := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
	set.Services, set.EndpointSlices = beside.Services, beside.EndpointSlices
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	o := backends.DefaultOptions()
	o.NoComments = true
	s, _, _ := nftables(b, x, o)
	if err := r.Do(func() error { _, err := s.Apply(b.Context()); return err }); err != nil {
		b.Fatal(err)
	}
	n := 0
	cpu := processCPU()
	for b.Loop() {
		others := set
		others.NetworkPolicies = slices.Clone(set.NetworkPolicies)
		// A policy of pods on the node.
		changed := others.NetworkPolicies[507].Object.DeepCopy()
		changed.Spec.Ingress = changed.Spec.Ingress[:n%2]
		others.NetworkPolicies[507].Object = changed
		n++
		err := r.Do(func() error {
			p, err := s.Update(b.Context(), compiler.Update{Others: &others})
			if err == nil && p.Empty() && n > 2 {
				b.Error("nothing changed")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((processCPU()-cpu)*1e3/float64(n), "cpu-ms/op")
}
