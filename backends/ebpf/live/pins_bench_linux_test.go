package live

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// BenchmarkPins is what an apply costs a process that was just started, but for
// reading the file: the first one, one Service less and again more, and the same again.
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
	}
}

// BenchmarkHeld is one endpoint of one Service of many replaced, in held state: planning and
// the maps, without the images of the fragments. Changes of many Services share grace periods;
// alone, each change has its own.
func BenchmarkHeld(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{10000, 30000} {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
			whole, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
			img, err := image.New(backends.DefaultOptions()).Image(whole)
			if err != nil {
				b.Fatal(err)
			}
			p, _ := pins(b)
			defer p.Close()
			apply(b, p, img)
			held := NewHeld(img)
			const services = 1000
			var sides [services][2]*image.Image
			for i := range sides {
				sides[i] = fragments(b, whole, i)
			}
			turn := 0
			change := func() {
				x, side := &sides[turn%services], turn/services%2
				plan, err := held.Change(x[side], x[1-side])
				if err == nil {
					err = p.Apply(ctx, plan)
				}
				if err != nil {
					b.Fatal(err)
				}
				held.Commit(plan)
				turn++
			}
			change() // opens the maps
			before := cpu(b)
			for b.Loop() {
				change()
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
			const alone = 50
			before = cpu(b)
			for range alone {
				change()
				if err := p.session.services.Settle(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/alone, "alone-cpu-us/op")
		})
	}
}

// fragments are images of one Service of a program, with two different endpoints.
func fragments(b *testing.B, whole *ir.Program, n int) (sides [2]*image.Image) {
	b.Helper()
	for i := range sides {
		p := *whole
		p.Frontends, p.Pools, p.ClusterIPs = nil, nil, nil
		f := whole.Frontends[n]
		p.Frontends = append(p.Frontends, f)
		for _, pool := range whole.Pools {
			if pool.ID == f.Internal.Pool || pool.ID == f.External.Pool {
				pool.Endpoints = slices.Clone(pool.Endpoints)
				if i == 1 && len(pool.Endpoints) > 0 {
					last := &pool.Endpoints[len(pool.Endpoints)-1]
					last.Address = netip.AddrPortFrom(last.Address.Addr().Next(), last.Address.Port())
				}
				p.Pools = append(p.Pools, pool)
			}
		}
		var err error
		if sides[i], err = image.New(backends.Options{NoComments: true}).Image(&p); err != nil {
			b.Fatal(err)
		}
	}
	return sides
}
