package conformance

import (
	"flag"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var kernelSteps = flag.Int("kernel-steps", 40, "how many steps of each kind to try in real kernels, at most")

// TestKernel tries a sample of the steps with real connections between pods in
// namespaces. All pods are on one node, so that both directions are enforced.
func TestKernel(t *testing.T) {
	if *data == "" {
		t.Skip("minutes of connections: name the tables with -data, or use make conformance")
	}
	network, cluster, err := Load(dataDir(t))
	if err != nil {
		t.Fatal(err)
	}
	steps := append(sample(network, *kernelSteps), sample(cluster, *kernelSteps)...)
	for _, k := range testkit.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, k.Tools...)
			selected, err := registry.Select(backends.DefaultOptions(), k.Backend)
			if err != nil {
				t.Fatal(err)
			}
			for i := range steps {
				t.Run(steps[i].Name, func(t *testing.T) {
					t.Parallel()
					tryStep(t, &steps[i], k, selected[0])
				})
			}
		})
	}
}

func tryStep(t *testing.T, s *Step, k testkit.Kernel, b backends.Backend) {
	t.Helper()
	set, err := s.Objects()
	if err != nil {
		t.Fatal(err)
	}
	Spread(&set, 1)
	program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: spreadNode(0), Config: objects.Config{}})
	artifact, err := b.Emit(program)
	if err != nil {
		t.Fatal(err)
	}
	var flows []testkit.Flow
	e := eval.New(program)
	for _, row := range s.Rows {
		f, ok := flowOf(&set, &row)
		if !ok {
			continue
		}
		got := e.Eval(eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From})
		if (got.Verdict == eval.Pass) != row.Combined {
			t.Fatalf("%s to %s, %d/%v: %v, want allowed %v", row.From, row.To, row.Port, row.Protocol, got.Verdict, row.Combined)
		}
		flows = append(flows, f)
	}
	testkit.RunProgram(t, program, flows, func(r *testkit.Rig) error { return k.Load(r, artifact.File) })
}

// flowOf returns a row as a connection, except for rows that the table leaves open
// or that start at a node.
func flowOf(set *objects.Set, row *Row) (testkit.Flow, bool) {
	f := testkit.Flow{From: eval.FromPod, Dst: row.Address, Protocol: row.Protocol, Port: row.Port}
	for _, p := range set.Pods {
		switch p.Object.Namespace + "/" + p.Object.Name {
		case row.From:
			if p.Object.Spec.HostNetwork {
				return f, false
			}
			f.Src = netpath.PodAddresses(p.Object)[0]
		case row.To:
			if !f.Dst.IsValid() {
				f.Dst = netpath.PodAddresses(p.Object)[0]
			}
		}
	}
	return f, row.From != row.To && ir.FamilyOf(f.Src) == ir.FamilyOf(f.Dst)
}
