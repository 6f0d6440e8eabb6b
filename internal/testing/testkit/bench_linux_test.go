package testkit_test

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// bigSpec is a rig such as random clusters need.
func bigSpec() testkit.Spec {
	s := spec(ir.LocalDetector{Mode: ir.DetectNone})
	s.Pods = nil
	for i := range byte(20) {
		s.Pods = append(s.Pods, netip.AddrFrom4([4]byte{10, 1, 1, i}), netip.AddrFrom16([16]byte{0xfd, 15: i}))
	}
	for port := range uint16(50) {
		s.Ports = append(s.Ports, testkit.Port{Protocol: ir.TCP, Number: 8000 + port}, testkit.Port{Protocol: ir.UDP, Number: 8000 + port})
	}
	return s
}

// BenchmarkRig is one rig with 40 pods and 100 listeners on each side, made and
// taken down.
func BenchmarkRig(b *testing.B) {
	testkit.Require(b)
	for b.Loop() {
		r, err := testkit.Build(bigSpec())
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTry is 200 connections at once that are all answered.
func BenchmarkTry(b *testing.B) {
	testkit.Require(b)
	r := testkit.New(b, bigSpec())
	flows := make([]testkit.Flow, 200)
	for i := range flows {
		flows[i] = flow(eval.FromOutside, "203.0.113.9", "10.1.1.3:8000", ir.Protocols()[i%2])
	}
	for b.Loop() {
		outcomes, err := r.Try(b.Context(), flows, testkit.DefaultTimeout)
		if err != nil {
			b.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Fate != testkit.Answered {
				b.Fatalf("%v: %v", flows[i], o)
			}
		}
	}
}
