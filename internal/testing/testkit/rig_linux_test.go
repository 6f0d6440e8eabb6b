package testkit_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
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

// TestNoRules shows that the rig itself changes no packets.
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

// TestNodeNamespace shows that programs, netlink sockets and the conntrack flush
// are the node's.
func TestNodeNamespace(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, spec(ir.LocalDetector{Mode: ir.DetectNone}))
	const tracked = "table ip6 t {\n chain c {\n type filter hook input priority 0;\n ct state new accept\n}\n}\n"
	if err := r.LoadNFT(tracked); err != nil {
		t.Fatal(err)
	}
	var listed []string
	err := r.Do(func() (err error) { listed, err = testkit.NFTObjects(); return err })
	if want := []string{"chain ip6 t c type filter hook 1 priority 0 policy accept", "table ip6 t"}; err != nil || !slices.Equal(listed, want) {
		t.Errorf("the node has %q, want %q; %v", listed, want, err)
	}
	if err := r.LoadNFT("no such command"); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("bad rules: %v, want nft's own words", err)
	}
	count := func() (n int) {
		err := r.Do(func() error {
			entries, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET6)
			n = len(entries)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	f := flow(eval.FromOutside, "2a00::9", "[2001:db8::10]:80", ir.UDP)
	if _, err := r.Try(t.Context(), []testkit.Flow{f}, testkit.DefaultTimeout); err != nil {
		t.Fatal(err)
	}
	if n := count(); n == 0 {
		t.Error("the flow left no conntrack entry")
	}
	if err := r.FlushConntrack(); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d conntrack entries after the flush", n)
	}
}

// TestWrongSources: flows that the rig cannot make are refused.
func TestWrongSources(t *testing.T) {
	testkit.Require(t)
	r := testkit.New(t, spec(ir.LocalDetector{Mode: ir.DetectNone}))
	for _, f := range []testkit.Flow{
		flow(eval.FromOutside, "10.1.0.5", "10.96.0.1:80", ir.TCP),
		flow(eval.FromOutside, "192.0.2.10", "10.96.0.1:80", ir.TCP),
		flow(eval.FromPod, "192.0.2.10", "10.96.0.1:80", ir.TCP),
	} {
		if _, err := r.Try(t.Context(), []testkit.Flow{f}, testkit.DefaultTimeout); err == nil {
			t.Errorf("%v: no error", f)
		}
	}
}
