package golden

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// mixed is how eBPF serves a program: alone is with the programs of sockets and nothing
// else, so that nothing else can decide what they should; untracked is with connections
// between pods that are not tracked; outside is with sockets in no cgroup, so that rules
// decide everything; interfaces is with programs at the interfaces of pods; direct is with
// those, and direct has these hand packets between pods past the rules.
type mixed struct{ alone, untracked, outside, interfaces, direct bool }

func (m mixed) String() string {
	switch {
	case m.direct && m.outside:
		return "packets, direct"
	case m.direct:
		return "sockets, direct and packets"
	case m.interfaces && m.outside:
		return "packets, interfaces"
	case m.interfaces:
		return "sockets, interfaces and packets"
	case m.outside:
		return "packets, untracked"
	case m.alone:
		return "sockets alone"
	case m.untracked:
		return "sockets and packets, untracked"
	}
	return "sockets and packets"
}

// TestSocketFlows makes the flows of every case, and random flows of generated clusters,
// real connections through the programs of sockets.
func TestSocketFlows(t *testing.T) {
	testkit.Require(t, "nft")
	for _, m := range []mixed{{alone: true}, {}, {untracked: true}, {untracked: true, outside: true}, {interfaces: true}, {interfaces: true, outside: true}, {interfaces: true, direct: true}, {interfaces: true, direct: true, outside: true}} {
		t.Run(m.String(), func(t *testing.T) {
			var cases, generated counter
			t.Run("cases", func(t *testing.T) {
				if m.interfaces {
					t.Skip("the verifier takes seconds for each of the nodes")
				}
				for _, c := range loadCases(t) {
					t.Run(c.Name, func(t *testing.T) {
						t.Parallel()
						in, options, _ := load(t, c)
						program, _ := compiler.Compile(in)
						cases.add(m.try(t, program, options, caseFlows(c), len(c.Flows)))
					})
				}
			})
			t.Run("clusters", func(t *testing.T) {
				n := *clusters
				if m.untracked || m.interfaces {
					n = (n + 4) / 5
				}
				for i := range n {
					s := *seed + uint64(i)
					t.Run(fmt.Sprintf("seed-%d", s), func(t *testing.T) {
						t.Parallel()
						c := randomcluster.New(s)
						program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
						flows := testkit.RandomFlows(rand.New(rand.NewPCG(s, 5)), program, *packets*5)
						generated.add(m.try(t, program, backends.DefaultOptions(), flows, *packets))
					})
				}
			})
			t.Logf("cases: %v; generated, from seed %d: %v", cases.Count, *seed, generated.Count)
			if cases.Programs > 0 {
				record(image.Name, "kernel ("+m.String()+")", "golden cases", cases.Count)
			}
			record(image.Name, "kernel ("+m.String()+")", "generated", generated.Count)
		})
	}
}

// try loads a program into a node of its own, attaches the programs of sockets to a
// cgroup of the test, and sends flows up to the limit.
func (m mixed) try(t *testing.T, p *ir.Program, o backends.Options, flows []testkit.Flow, limit int) interptest.Count {
	t.Helper()
	count := interptest.Count{Programs: 1}
	if m.alone {
		bare := *p
		bare.Policy, bare.Masquerade = ir.Policy{}, ir.Masquerade{}
		p = &bare
	}
	o.UntrackedPods, o.PoliciesAtInterfaces, o.DirectPods = m.untracked, m.interfaces, m.direct
	s := testkit.NewSocketView(p)
	var sent []testkit.Flow
	sent, count.Refused = claimed(image.New(o), p, flows, len(flows))
	if m.alone {
		sent = s.Decided(sent)
	}
	sent = fromOutside(p, sent[:min(limit, len(sent))])
	sockets := live.Sockets{Dir: filepath.Join(testkit.BPFFS(t), "maps"), Cgroup: testkit.Cgroup(t, live.CgroupRoot())}
	r := testkit.New(t, testkit.SpecFor(p, sent))
	if err := m.load(t, r, &sockets, p, o); err != nil {
		t.Fatal(err)
	}
	evaluate := s.Eval
	if m.outside {
		evaluate = s.Packets.Eval
	}
	report, err := r.Check(t.Context(), sent, evaluate, testkit.DefaultTimeout)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Disagreements {
		t.Errorf("%v", d)
	}
	count.Packets, count.Disagreements = len(sent), len(report.Disagreements)
	return count
}

// load makes the node serve a program.
func (m mixed) load(t testing.TB, r *testkit.Rig, sockets *live.Sockets, p *ir.Program, o backends.Options) error {
	t.Helper()
	if m.interfaces {
		return m.apply(t, r, sockets, p, o)
	}
	img, err := image.New(o).Image(p)
	if err != nil {
		return err
	}
	rules, err := nftables.Beside(o).Emit(p)
	if err != nil {
		return err
	}
	if !m.alone {
		if err := r.LoadNFT(string(rules.File("rules.nft"))); err != nil {
			return err
		}
	}
	pins := live.NewPins(sockets.Dir)
	have, err := pins.Observe(t.Context())
	if err != nil {
		return err
	}
	if err := pins.Apply(t.Context(), live.NewPlan(have, img)); err != nil {
		return err
	}
	err = r.Do(func() error { _, err := sockets.Attach(t.Context()); return err })
	if err != nil {
		return err
	}
	t.Cleanup(func() {
		if _, err := sockets.Detach(); err != nil {
			t.Error(err)
		}
	})
	if m.outside {
		return nil
	}
	return r.JoinCgroup(sockets.Cgroup)
}

// apply makes the node serve a program as an apply does, with programs at interfaces.
func (m mixed) apply(t testing.TB, r *testkit.Rig, sockets *live.Sockets, p *ir.Program, o backends.Options) error {
	t.Helper()
	a, err := image.New(o).Emit(p)
	if err != nil {
		return err
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
	}); err != nil || m.outside {
		return err
	}
	return r.JoinCgroup(sockets.Cgroup)
}

// fromOutside leaves out flows from the outside whose source is one of the node's pods.
func fromOutside(p *ir.Program, flows []testkit.Flow) []testkit.Flow {
	pods := testkit.SpecFor(p, flows).Pods
	return slices.DeleteFunc(flows, func(f testkit.Flow) bool { return f.From == eval.FromOutside && slices.Contains(pods, f.Src) })
}
