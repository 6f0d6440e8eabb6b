package cnilayout_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/golden"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// socketCases are the golden cases that backend ebpf serves on each layout.
func socketCases() []string {
	return []string{"cluster-ip", "hairpin", "node-port", "etp-local", "masq-agent", "policy-service", "policy-dual-stack", "dual-stack"}
}

// TestSockets: backend ebpf serves every layout: sockets of pods are translated before a
// packet has an interface, and everything else is by nftables' rules.
func TestSockets(t *testing.T) {
	t.Parallel()
	testkit.Require(t, "nft")
	nodes := allNodes()
	if isGuest() {
		nodes = slices.Concat(nodes, geneves(), onOVSs())
	}
	for _, n := range nodes {
		t.Run(n.name, func(t *testing.T) {
			for _, name := range socketCases() {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for _, d := range n.sockets(t, byName(t, name), false) {
						t.Error(d)
					}
				})
			}
		})
	}
}

// TestPrograms: with policies at interfaces as well.
func TestPrograms(t *testing.T) {
	t.Parallel()
	testkit.Require(t, "nft")
	for _, n := range allNodes() {
		t.Run(n.name, func(t *testing.T) {
			for _, name := range []string{"policy-service", "policy-dual-stack"} {
				for _, d := range n.sockets(t, byName(t, name), true) {
					t.Errorf("%s: %v", name, d)
				}
			}
		})
	}
}

// TestSocketsBesideTheNode: where the node does not see what pods send to each other, or
// anything of them, sockets of pods are served all the same, unless policies are asked for.
func TestSocketsBesideTheNode(t *testing.T) {
	t.Parallel()
	testkit.Require(t, "nft")
	blind := bridge("cbr0")
	blind.NoBridgeRules = true
	for _, n := range []node{
		{name: "bridge", preset: "kubenet", layout: testkit.Layout{Pods: blind}},
		{name: "macvlan", preset: "bridge", detect: "none", layout: testkit.Layout{Pods: testkit.PodLink{Kind: testkit.MACVLAN}}},
	} {
		t.Run(n.name, func(t *testing.T) {
			for _, d := range n.sockets(t, byName(t, "cluster-ip"), false) {
				if d.Flow.From == eval.FromPod {
					t.Error(d)
				}
			}
		})
	}
}

// TestProgramsNeedAnInterface: pods with cards of their own have no interface on the node, so
// that no program enforces their policies; docs/ebpf.md says so. Beside it, a layout with veths
// shows that this test would see programs.
func TestProgramsNeedAnInterface(t *testing.T) {
	t.Parallel()
	testkit.Require(t, "nft")
	for _, c := range []struct {
		node node
		want bool
	}{{ownCard(testkit.MACVLAN), false}, {proxyARPs()[0], true}} {
		p, o := c.node.compile(t, byName(t, "policy-service"))
		o.PoliciesAtInterfaces = true
		sockets := live.Sockets{Dir: filepath.Join(testkit.BPFFS(t), "maps"), Cgroup: testkit.Cgroup(t, live.CgroupRoot())}
		spec := testkit.SpecFor(p, nil)
		spec.Layout = c.node.layout
		r := testkit.New(t, spec)
		applyEBPF(t, r, &sockets, p, o)
		var found bool
		err := r.Do(func() error {
			steps, err := (&live.Interfaces{Dir: sockets.Dir}).Left()
			for _, s := range steps {
				found = found || strings.Contains(s, "from_pod of ")
			}
			t.Log(steps)
			return err
		})
		if err != nil || found != c.want {
			t.Errorf("programs at interfaces: %v, want %v; %v", found, c.want, err)
		}
	}
}

// sockets makes the flows of a case through programs of sockets, with those of interfaces or
// without, and returns those that the evaluator answers otherwise.
func (n node) sockets(t *testing.T, c golden.Case, interfaces bool) []testkit.Disagreement {
	t.Helper()
	p, o := n.compile(t, c)
	o.PoliciesAtInterfaces = interfaces
	flows := claimed(image.New(o), p, c)
	sockets := live.Sockets{Dir: filepath.Join(testkit.BPFFS(t), "maps"), Cgroup: testkit.Cgroup(t, live.CgroupRoot())}
	spec := testkit.SpecFor(p, flows)
	spec.Layout = n.layout
	r := testkit.New(t, spec)
	applyEBPF(t, r, &sockets, p, o)
	if err := r.JoinCgroup(sockets.Cgroup); err != nil {
		t.Fatal(err)
	}
	report, err := r.Check(t.Context(), flows, testkit.NewSocketView(p).Eval, testkit.DefaultTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if report.Agreed[eval.DNAT]+report.Agreed[eval.Pass] == 0 {
		t.Errorf("no connection was made: %v", report)
	}
	return report.Disagreements
}

// applyEBPF makes a node serve a program, as planec apply does.
func applyEBPF(t *testing.T, r *testkit.Rig, sockets *live.Sockets, p *ir.Program, o backends.Options) {
	t.Helper()
	a, err := image.New(o).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	plane := dataplane.EBPF(sockets.Dir, sockets.Cgroup)
	t.Cleanup(func() {
		if err := r.Do(func() error { _, err := plane.Clean(context.Background()); return err }); err != nil {
			t.Error(err)
		}
	})
	if err := r.Do(func() error {
		plan, err := plane.Plan(t.Context(), a)
		if err != nil {
			return err
		}
		return plan.Apply(t.Context())
	}); err != nil {
		t.Fatal(err)
	}
}
