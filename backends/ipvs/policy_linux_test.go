package ipvs_test

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// policyPrograms is how many [TestKernelPolicies] tries.
const policyPrograms = 8

// policyReportFile is what [TestKernelPolicies] leaves.
const policyReportFile = "ipvs-policy-report.json"

// policedProgram is a random program with random policies.
func policedProgram(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	return p
}

// TestKernelPolicies makes connections with policies that the compiler does not
// produce, and reads back what was loaded.
func TestKernelPolicies(t *testing.T) {
	inside(t)
	n := report{Verdicts: make(map[string]int)}
	for seed := range uint64(policyPrograms) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := policedProgram(seed)
			b := ipvs.New(backends.DefaultOptions())
			flows := possible(p, b, testkit.RandomFlows(rand.New(rand.NewPCG(seed, 2)), p, 160), &n)
			n.add(testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error {
				if err := load(r, b, p); err != nil {
					return err
				}
				wantLoaded(t, r, emit(t, p, backends.DefaultOptions()))
				return nil
			}))
		})
	}
	write(t, n, policyReportFile)
}

// dialectPrograms is how many [TestKernelDialects] tries; dialectReportFile is what it
// leaves.
const (
	dialectPrograms   = 6
	dialectReportFile = "ipvs-dialect-report.json"
)

// TestKernelDialects does it with policies that only other dialects than Kubernetes' can
// express, and with the packets that they tell apart.
func TestKernelDialects(t *testing.T) {
	inside(t)
	n := report{Verdicts: make(map[string]int)}
	for seed := range uint64(dialectPrograms) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 31))
			p := irtest.RandomProgram(rng)
			p.Node.DropInvalid = seed%4 == 0
			irtest.AddRandomDialects(rng, p)
			b := ipvs.New(backends.DefaultOptions())
			flows := possible(p, b, testkit.RandomDialectFlows(rng, p, 160), &n)
			n.add(testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error { return load(r, b, p) }))
		})
	}
	write(t, n, dialectReportFile)
}

// TestKernelOwnEndpoints: packets that IPVS delivers to the node itself are judged before.
func TestKernelOwnEndpoints(t *testing.T) {
	inside(t)
	for _, refusal := range ir.Refusals() {
		p := ownEndpoints(refusal)
		r := testkit.New(t, testkit.SpecFor(p, nil))
		if err := load(r, ipvs.New(backends.DefaultOptions()), p); err != nil {
			t.Fatal(err)
		}
		denied := map[ir.Refusal]testkit.Fate{ir.Drop: testkit.TimedOut, ir.Reject: testkit.Refused}[refusal]
		want := []testkit.Fate{testkit.Answered, denied, testkit.Answered, testkit.Answered, testkit.Answered, denied}
		flows := []testkit.Flow{
			flow(eval.FromPod, "10.1.0.2", "10.96.0.1:999"),
			flow(eval.FromPod, "10.1.0.2", "10.96.0.1:80"),
			flow(eval.FromPod, "10.1.0.3", "10.96.0.1:80"),
			flow(eval.FromNode, "192.168.9.1", "10.96.0.1:80"),
			flow(eval.FromPod, "10.1.0.2", "192.168.9.1:999"),
			flow(eval.FromPod, "10.1.0.2", "192.168.9.1:80"),
		}
		got, err := r.Try(t.Context(), flows, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for i := range flows {
			if got[i].Fate != want[i] {
				t.Errorf("%v: %v: %v, want %v", refusal, flows[i], got[i], want[i])
			}
		}
	}
}

//go:embed doc.go
var doc string

// TestKernelPolicySweep loads policies over others and removes the remains, as
// doc.go describes.
func TestKernelPolicySweep(t *testing.T) {
	inside(t)
	_, lines, found := strings.Cut(doc, "//\tset -e # sweep\n")
	if !found {
		t.Fatal("doc.go does not say how to sweep")
	}
	lines, _, _ = strings.Cut("\n"+lines, "\n//\n")
	lines = strings.ReplaceAll(lines, "\n//\t", "\n")
	lines = strings.NewReplacer("$c-save", "$c-legacy-save", "$c-restore", "$c-legacy-restore").Replace(lines)
	r := testkit.New(t, testkit.Spec{})
	if err := load(r, ipvs.New(backends.DefaultOptions()), policedProgram(1)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*ir.Program{policedProgram(2), goldens()["small"]} {
		a := emit(t, p, backends.DefaultOptions())
		dir := t.TempDir()
		for _, f := range a.Files {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := r.Run("set -o pipefail -e\ncd "+dir+`
ipset -exist restore < ipset.rules
iptables-legacy-restore --noflush < iptables.rules
ip6tables-legacy-restore --noflush < ip6tables.rules
ipvsadm -C
ipvsadm -R < ipvsadm.rules`+lines, "bash")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantLoaded(t, r, a)
	}
}
