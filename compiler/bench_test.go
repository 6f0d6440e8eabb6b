package compiler_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/clustergen"
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
