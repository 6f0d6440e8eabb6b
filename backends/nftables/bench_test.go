package nftables

import (
	"fmt"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
)

func BenchmarkEmit(b *testing.B) {
	for _, n := range []int{1000, 10000, 30000} {
		p := irtest.ManyServices(n)
		for _, comments := range []bool{true, false} {
			b.Run(fmt.Sprintf("services=%d/comments=%v", n, comments), func(b *testing.B) {
				be := New(backends.Options{MasqueradeBit: 14, NoComments: !comments})
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
