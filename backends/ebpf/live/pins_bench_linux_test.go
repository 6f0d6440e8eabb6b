package live

import (
	"context"
	"fmt"
	"testing"
	"time"

	image "github.com/planec/planec/backends/ebpf"
)

// BenchmarkPins is what an apply costs a process that was just started, but for
// reading the file: the first one, a change, the same again, and the same again
// where the process has verified it before.
func BenchmarkPins(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{10000, 30000} {
		p, _ := pins(b)
		img, other := bigImage(b, n), bigImage(b, n-1)
		run := func(name string, do func() error) {
			b.Run(fmt.Sprintf("services=%d/%s", n, name), func(b *testing.B) {
				before := cpu(b)
				for b.Loop() {
					if err := do(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			})
		}
		var cleaning, cleaningCPU time.Duration
		b.Run(fmt.Sprintf("services=%d/first", n), func(b *testing.B) {
			before := cpu(b)
			cleaning, cleaningCPU = 0, 0
			for b.Loop() {
				start, used := time.Now(), cpu(b)
				if _, err := p.Clean(ctx); err != nil {
					b.Fatal(err)
				}
				cleaning, cleaningCPU = cleaning+time.Since(start), cleaningCPU+cpu(b)-used
				apply(b, NewPins(p.Dir), img)
			}
			b.ReportMetric(float64((cpu(b)-before-cleaningCPU).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64((b.Elapsed()-cleaning).Nanoseconds())/float64(b.N), "ns/op")
		})
		turn := 0
		run("change", func() error {
			turn++
			apply(b, NewPins(p.Dir), [2]*image.Image{other, img}[turn%2])
			return nil
		})
		apply(b, p, img)
		run("restart", func() error { return NewPins(p.Dir).Verify(ctx, img) })
		run("unchanged", func() error { return p.Verify(ctx, img) })
	}
}
