package testkit_test

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// loadNFTables loads the rules of the nftables backend into the rig.
func loadNFTables(p *ir.Program) func(*testkit.Rig) error {
	return func(r *testkit.Rig) error {
		artifact, err := nftables.New(backends.DefaultOptions()).Emit(p)
		if err != nil {
			return err
		}
		return r.LoadNFT(string(artifact.Files[0].Data))
	}
}

// allDetectors are one of each mode.
func allDetectors() map[string]ir.LocalDetector {
	all := detectors()
	all["cidr"] = ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("fd00:1::/64"),
	}}
	return all
}

// TestNFTablesEndToEnd is the whole chain: program, emitter, kernel, real
// connections, evaluator.
func TestNFTablesEndToEnd(t *testing.T) {
	testkit.Require(t, "nft")
	for name, d := range allDetectors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t, d)
			testkit.RunProgram(t, p, testkit.RandomFlows(source(7), p, 200), loadNFTables(p))
		})
	}
}

// TestCheckNotices shows that a node without rules is detected for every verdict
// but pass.
func TestCheckNotices(t *testing.T) {
	testkit.Require(t)
	p := sample(t, ir.LocalDetector{Mode: ir.DetectNone})
	p.Masquerade = ir.Masquerade{}
	flows := testkit.RandomFlows(source(8), p, 200)
	r := testkit.New(t, testkit.SpecFor(p, flows))
	e := eval.New(p)
	report, err := r.Check(t.Context(), flows, e.Eval, testkit.DefaultTimeout)
	if err != nil {
		t.Fatal(err)
	}
	wrong := make(map[testkit.Flow]bool)
	for _, d := range report.Disagreements {
		wrong[d.Flow] = true
		if !strings.Contains(d.String(), "want "+d.Want.Verdict.String()) {
			t.Errorf("the report does not say what was wanted: %v", d)
		}
	}
	for _, f := range flows {
		want := e.Eval(r.Packet(f))
		if pass := want.Verdict == eval.Pass; wrong[f] == pass {
			t.Errorf("%v: want %v, noticed: %t", f, want.Verdict, wrong[f])
		}
	}
}

// TestSpreadAndSticky tests load balancing and affinity.
func TestSpreadAndSticky(t *testing.T) {
	testkit.Require(t, "nft")
	p := sample(t, ir.LocalDetector{Mode: ir.DetectNone})
	r := testkit.New(t, testkit.SpecFor(p, nil))
	if err := loadNFTables(p)(r); err != nil {
		t.Fatal(err)
	}
	const n = 600
	web := flow(eval.FromOutside, "203.0.113.9", "10.96.0.1:80", ir.TCP)
	counts, err := r.Spread(t.Context(), web, n)
	if err != nil {
		t.Fatal(err)
	}
	const endpoints = 3
	sigma := math.Sqrt(n * (1.0 / endpoints) * (1 - 1.0/endpoints))
	for ep, got := range counts {
		if math.Abs(float64(got)-n/endpoints) > 5*sigma {
			t.Errorf("%v answered %d of %d connections", ep, got, n)
		}
	}
	if len(counts) != endpoints {
		t.Errorf("%d endpoints answered: %v", len(counts), counts)
	}
	host := flow(eval.FromOutside, "203.0.113.9", "10.96.0.3:9100", ir.TCP)
	if _, err := r.Sticky(t.Context(), host, 20); err != nil {
		t.Error(err)
	}
	if _, err := r.Sticky(t.Context(), web, 40); err == nil {
		t.Error("40 connections without affinity all went to one endpoint")
	}
}

// TestCheckFindsOneBadEndpoint: two successful tries out of three must not clear
// an endpoint that never answers.
func TestCheckFindsOneBadEndpoint(t *testing.T) {
	testkit.Require(t, "nft")
	p := sample(t, ir.LocalDetector{Mode: ir.DetectNone})
	flows := make([]testkit.Flow, 30)
	for i := range flows {
		flows[i] = flow(eval.FromOutside, "203.0.113.9", "10.96.0.1:80", ir.TCP)
	}
	r := testkit.New(t, testkit.SpecFor(p, flows))
	const silence = "table ip silence {\n chain forward {\n type filter hook forward priority 10;\n ip daddr 10.2.0.7 drop\n}\n}\n"
	if err := r.LoadNFT(naiveRules(p) + silence); err != nil {
		t.Fatal(err)
	}
	report, err := r.Check(t.Context(), flows, eval.New(p).Eval, testkit.DefaultTimeout/3)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Disagreements) == 0 {
		t.Errorf("a silent endpoint was not noticed: %v", report)
	}
	for _, d := range report.Disagreements {
		if d.Got.Fate != testkit.TimedOut && d.Got.Resent == 0 {
			t.Errorf("want time-outs and what was sent again only: %v", d)
		}
	}
}
