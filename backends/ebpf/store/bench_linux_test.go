package store

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// cpu is what this process has used, in ns.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkChange gives one Service other endpoints, and reports the CPU of the process
// for each; BenchmarkFill makes all Services.
func BenchmarkChange(b *testing.B) {
	for _, services := range []int{10_000, 30_000} {
		b.Run(fmt.Sprintf("%dx5", services), func(b *testing.B) {
			m := newMaps(b, sizes{uint32(services), uint32(services + services/4), uint32(8 * services)})
			s := open(b, m)
			before := cpu(b)
			commit(b, s, all(services, 1, 5))
			b.ReportMetric(float64(cpu(b)-before)/1e6, "fill-ms")
			rng := rand.New(rand.NewPCG(1, 2))
			before = cpu(b)
			for n := range b.N {
				i := rng.IntN(services)
				commit(b, s, []Change{{keyOf(i), versioned(i, uint32(2+n), 5)}})
			}
			b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N), "cpu-us/change")
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}
