package ipvs_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
)

func BenchmarkEmit(b *testing.B) {
	for _, n := range []int{1000, 10000, 30000} {
		p := irtest.ManyServices(n)
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			be := ipvs.New(backends.DefaultOptions())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := be.Emit(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
