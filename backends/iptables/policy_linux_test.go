package iptables_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

var policyPrograms = flag.Int("policy-programs", 10, "how many random programs with policies to try in the kernel")

// TestKernelPolicies tries policies that the compiler does not produce.
func TestKernelPolicies(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for seed := range uint64(*policyPrograms) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				p := policedProgram(seed)
				run(t, variant, p, testkit.RandomFlows(rand.New(rand.NewPCG(seed, 7)), p, 150), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelDialects tries policies that only other dialects than Kubernetes' can
// express, and the packets that they tell apart.
func TestKernelDialects(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for seed := range uint64(*policyPrograms) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 29))
				p := irtest.RandomProgram(rng)
				p.Node.DropInvalid = seed%4 == 0
				irtest.AddRandomDialects(rng, p)
				run(t, variant, p, testkit.RandomDialectFlows(rng, p, 150), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelLogs wants the packets of log rules in the kernel's log.
func TestKernelLogs(t *testing.T) {
	require(t)
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			testkit.RunLogged(t, func(r *testkit.Rig, p *ir.Program) error {
				return load(r, variant, emit(t, p, backends.DefaultOptions()))
			})
		})
	}
}
