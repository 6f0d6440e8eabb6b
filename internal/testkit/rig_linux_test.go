package testkit_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/planec/planec/internal/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// detectors are one of each kind whose interfaces differ.
func detectors() map[string]ir.LocalDetector {
	return map[string]ir.LocalDetector{
		"none":   {Mode: ir.DetectNone},
		"prefix": {Mode: ir.DetectInterfacePrefix, Interface: "cali"},
		"bridge": {Mode: ir.DetectInterface, Interface: "cni0"},
	}
}

func spec(d ir.LocalDetector) testkit.Spec {
	return testkit.Spec{
		NodeAddrs: []netip.Addr{addr("192.0.2.10"), addr("192.0.2.11"), addr("2001:db8::10")},
		Pods:      []netip.Addr{addr("10.1.0.5"), addr("10.1.0.6"), addr("fd00:1::5"), addr("fd00:1::6")},
		Local:     d,
	}
}

// plain are flows between all sides, as they go when no rule says otherwise.
func plain(p ir.Protocol) []testkit.Flow {
	return []testkit.Flow{
		flow(eval.FromPod, "10.1.0.5", "10.1.0.6:80", p),
		flow(eval.FromPod, "10.1.0.5", "10.2.0.7:80", p),
		flow(eval.FromPod, "10.1.0.5", "192.0.2.10:80", p),
		flow(eval.FromPod, "10.1.0.5", "8.8.8.8:53", p),
		flow(eval.FromPod, "fd00:1::5", "[fd00:1::6]:80", p),
		flow(eval.FromPod, "fd00:1::5", "[fd00:2::6]:80", p),
		flow(eval.FromPod, "fd00:1::5", "[2001:db8::10]:80", p),
		flow(eval.FromNode, "192.0.2.10", "10.1.0.6:80", p),
		flow(eval.FromNode, "192.0.2.11", "10.1.0.6:80", p),
		flow(eval.FromNode, "192.0.2.10", "192.0.2.11:80", p),
		flow(eval.FromNode, "192.0.2.10", "10.2.0.6:80", p),
		flow(eval.FromNode, "127.0.0.1", "127.0.0.1:80", p),
		flow(eval.FromNode, "2001:db8::10", "[fd00:1::6]:80", p),
		flow(eval.FromNode, "2001:db8::10", "[2606::1]:80", p),
		flow(eval.FromOutside, "203.0.113.9", "192.0.2.10:80", p),
		flow(eval.FromOutside, "203.0.113.9", "10.1.0.5:80", p),
		flow(eval.FromOutside, "10.2.0.7", "10.1.0.5:80", p),
		flow(eval.FromOutside, "203.0.113.9", "198.51.100.7:80", p),
		flow(eval.FromOutside, "2a00::9", "[2001:db8::10]:80", p),
		flow(eval.FromOutside, "2a00::9", "[fd00:1::6]:80", p),
	}
}

// TestNoRules shows that the rig by itself changes nothing on the way.
func TestNoRules(t *testing.T) {
	testkit.Require(t)
	for name, d := range detectors() {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			r := testkit.New(t, spec(d))
			t.Logf("rig: %v", time.Since(begin))
			var flows []testkit.Flow
			for _, p := range ir.Protocols() {
				flows = append(flows, plain(p)...)
			}
			outcomes, err := r.Try(t.Context(), flows, testkit.DefaultTimeout)
			if err != nil {
				t.Fatal(err)
			}
			pass := eval.Result{Verdict: eval.Pass}
			for i, o := range outcomes {
				if err := testkit.Compare(flows[i], pass, o, r.NodeAddrs()); err != nil {
					t.Errorf("%v: %v", flows[i], err)
				}
			}
		})
	}
}
