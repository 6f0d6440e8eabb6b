package compiler_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// BenchmarkCompile is objects in memory → program.
func BenchmarkCompile(b *testing.B) {
	eachSize(b, func(b *testing.B, in compiler.Input) {
		for b.Loop() {
			compiler.Compile(in)
		}
	})
}

// BenchmarkCompileAndEmit is objects in memory → nftables text.
func BenchmarkCompileAndEmit(b *testing.B) {
	eachSize(b, func(b *testing.B, in compiler.Input) {
		for b.Loop() {
			program, _ := compiler.Compile(in)
			if _, err := nftables.New(backends.DefaultOptions()).Emit(program); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// eachSize runs a benchmark on clusters of N Services with 5 endpoints each.
func eachSize(b *testing.B, run func(*testing.B, compiler.Input)) {
	for _, services := range []int{1000, 10000, 30000} {
		b.Run(fmt.Sprintf("%dx5", services), func(b *testing.B) {
			set := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
			in := compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name, Config: objects.Config{}}
			b.ReportAllocs()
			run(b, in)
		})
	}
}

// BenchmarkPolicies is 10,000 pods, 250 of them on the node, 1,000 policies and
// 500 namespaces in memory → program, and → resolved tables.
func BenchmarkPolicies(b *testing.B) {
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	in := compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name}
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compiler.Compile(in)
		}
	})
	program, _ := compiler.Compile(in)
	b.Run("resolve", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := resolve.New(&program.Policy, nil)
			rows := 0
			for _, profile := range p.Profiles {
				for _, d := range ir.Directions() {
					if t := profile.Table(d); t != nil {
						for range t.Rows {
							rows++
						}
					}
				}
			}
			b.ReportMetric(float64(len(p.Classes)), "classes")
			b.ReportMetric(float64(len(p.Hosts)), "hosts")
			b.ReportMetric(float64(len(p.Rows)), "rows")
			b.ReportMetric(float64(len(p.Profiles)), "profiles")
			b.ReportMetric(float64(rows), "class-rows")
		}
	})
}

// BenchmarkDialects is as many pods, nodes and namespaces as BenchmarkPolicies has, with
// 1,000 policies of all dialects: the program of one node, and with the text of its
// rules.
func BenchmarkDialects(b *testing.B) {
	set := clustergen.DialectObjects(clustergen.LargePolicies)
	in := compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name}
	program, _ := compiler.Compile(in)
	if err := ir.Verify(program); err != nil || len(program.Policy.Profiles) == 0 || !program.Policy.Redirects() {
		b.Fatalf("%d profiles: %v", len(program.Policy.Profiles), err)
	}
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compiler.Compile(in)
		}
	})
	b.Run("compile-and-emit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			program, _ := compiler.Compile(in)
			if _, err := nftables.New(backends.DefaultOptions()).Emit(program); err != nil {
				b.Fatal(err)
			}
		}
	})
}
