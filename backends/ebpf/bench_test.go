package ebpf_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// compiled is the program of n Services of 5 endpoints each.
func compiled(n int) *ir.Program {
	set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	return p
}

func BenchmarkEmit(b *testing.B) {
	for _, n := range []int{1000, 10000, 30000} {
		p := compiled(n)
		for _, names := range []bool{true, false} {
			b.Run(fmt.Sprintf("services=%d/names=%v", n, names), func(b *testing.B) {
				backend := ebpf.New(backends.Options{NoComments: !names})
				b.ReportAllocs()
				for b.Loop() {
					a, err := backend.Emit(p)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(a.Files[0].Data)), "bin-bytes")
					b.ReportMetric(float64(len(a.Files[1].Data)), "text-bytes")
				}
			})
		}
	}
}

// BenchmarkFragment is what an applier has emitted: no names, and no text.
func BenchmarkFragment(b *testing.B) {
	p := compiled(30000)
	backend := ebpf.New(backends.Options{NoComments: true})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := backend.Fragment(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEmitPolicies is a node with 250 pods of 10,000 under 1,000 policies.
func BenchmarkEmitPolicies(b *testing.B) {
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	for _, names := range []bool{true, false} {
		b.Run(fmt.Sprintf("names=%v", names), func(b *testing.B) {
			backend := ebpf.New(backends.Options{NoComments: !names})
			b.ReportAllocs()
			for b.Loop() {
				a, err := backend.Emit(p)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(a.Files[0].Data)), "bin-bytes")
				b.ReportMetric(float64(len(a.Files[1].Data)), "text-bytes")
			}
		})
	}
	img, err := ebpf.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		b.Fatal(err)
	}
	file := img.Bytes()
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := ebpf.Read(file); err != nil {
				b.Fatal(err)
			}
		}
		for i := layout.Pods; i < layout.NumMaps; i++ {
			b.ReportMetric(float64(img.Map(i).Len()), img.Map(i).Layout().Name+"-entries")
		}
	})
}

func BenchmarkRead(b *testing.B) {
	a, err := ebpf.New(backends.DefaultOptions()).Emit(compiled(10000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ebpf.Read(a.Files[0].Data); err != nil {
			b.Fatal(err)
		}
	}
}
