package iptables_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
)

func BenchmarkEmit(b *testing.B) {
	for _, n := range []int{1000, 10000, 30000} {
		p := irtest.ManyServices(n)
		for _, comments := range []bool{true, false} {
			b.Run(fmt.Sprintf("services=%d/comments=%v", n, comments), func(b *testing.B) {
				be := iptables.New(backends.Options{MasqueradeBit: 14, NoComments: !comments})
				b.ReportAllocs()
				for b.Loop() {
					if _, err := be.Emit(p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkEmitPolicies is a large node: 250 profiles, 10,000 pods in the cluster.
func BenchmarkEmitPolicies(b *testing.B) {
	p := manyProfiles(250)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iptables.New(backends.DefaultOptions()).Emit(p); err != nil {
			b.Fatal(err)
		}
	}
}
