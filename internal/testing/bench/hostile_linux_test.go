package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/clustergen"
)

// largeObject is the size, in bytes, of the objects of BenchmarkHostilePolicy.
const largeObject = 40_000

// BenchmarkHostilePolicy is policies of 40 kB to a program and to each backend's
// rules, in CPU time, since what delays the change of another object is that.
func BenchmarkHostilePolicy(b *testing.B) {
	for _, s := range clustergen.HostilePolicies() {
		b.Run(s.Name, func(b *testing.B) {
			text := sized(b, s)
			set, _, err := manifest.Load(b.Context(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
			if err != nil {
				b.Fatal(err)
			}
			in := compiler.Input{Objects: &set, Node: "n1"}
			program, _ := compiler.Compile(in)
			measure(b, "compile", func() error {
				compiler.Compile(in)
				return nil
			})
			for _, backend := range registry.All(backends.DefaultOptions()) {
				measure(b, backend.Name(), func() error {
					backend.Check(program)
					_, err := backend.Emit(program)
					return err
				})
			}
		})
	}
}

// sized are the largest objects of a shape that are no larger than largeObject.
func sized(b *testing.B, s clustergen.Shape) []byte {
	b.Helper()
	text := func(n int) []byte {
		var out []byte
		for _, o := range s.Objects(n) {
			doc, err := json.Marshal(o)
			if err != nil {
				b.Fatal(err)
			}
			out = append(append(out, doc...), "\n---\n"...)
		}
		return out
	}
	low, high := 1, largeObject
	for low+1 < high {
		if mid := (low + high) / 2; len(text(min(mid, 8000))) > largeObject {
			high = mid
		} else {
			low = mid
		}
	}
	return text(low)
}

func measure(b *testing.B, name string, run func() error) {
	b.Run(name, func(b *testing.B) {
		before := processCPU()
		for b.Loop() {
			if err := run(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(1000*(processCPU()-before)/float64(b.N), "cpu-ms/op")
	})
}
