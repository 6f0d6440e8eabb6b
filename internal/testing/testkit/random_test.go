package testkit_test

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func TestRandomFlowsRepeat(t *testing.T) {
	p := sample(t, ir.LocalDetector{Mode: ir.DetectNone})
	a, b := testkit.RandomFlows(source(1), p, 300), testkit.RandomFlows(source(1), p, 300)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gives other flows")
	}
	if c := testkit.RandomFlows(source(2), p, 300); reflect.DeepEqual(a, c) {
		t.Error("another seed gives the same flows")
	}
}

// TestRandomFlowsCover wants all kinds of questions among a few hundred flows.
func TestRandomFlowsCover(t *testing.T) {
	d := ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/64")}}
	p := sample(t, d)
	e := eval.New(p)
	type seen struct {
		family  ir.Family
		from    eval.Entry
		verdict eval.Verdict
	}
	counts := make(map[seen]int)
	hairpins, masquerades := 0, 0
	pods := make(map[netip.Addr]bool)
	flows := testkit.RandomFlows(source(3), p, 2000)
	for _, f := range flows {
		pods[f.Src] = pods[f.Src] || f.From == eval.FromPod
		r := e.Eval(eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From})
		counts[seen{ir.FamilyOf(f.Dst), f.From, r.Verdict}]++
		for _, c := range r.Endpoints {
			if c.Hairpin {
				hairpins++
			}
		}
		if r.Masquerade {
			masquerades++
		}
	}
	for _, f := range ir.Families() {
		for _, from := range []eval.Entry{eval.FromPod, eval.FromNode, eval.FromOutside} {
			for _, v := range []eval.Verdict{eval.Pass, eval.DNAT, eval.Drop, eval.Reject} {
				if n := counts[seen{f, from, v}]; n < 5 {
					t.Errorf("%v flows from %v with verdict %v: %d of %d", f, from, v, n, len(flows))
				}
			}
		}
	}
	if hairpins < 20 || masquerades < 20 {
		t.Errorf("%d hairpins and %d masquerades in %d flows", hairpins, masquerades, len(flows))
	}
	for _, f := range flows {
		if f.From == eval.FromOutside && pods[f.Src] {
			t.Errorf("%v: the source is a local pod", f)
		}
	}
}

// TestRandomFlowsOfAnEmptyProgram must end, with flows that match no Service.
func TestRandomFlowsOfAnEmptyProgram(t *testing.T) {
	p := &ir.Program{Node: ir.Node{Name: "n", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	if flows := testkit.RandomFlows(source(4), p, 50); len(flows) != 50 {
		t.Errorf("%d flows, want 50", len(flows))
	}
}
