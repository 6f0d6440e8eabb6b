package ipvs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestCheck wants one message of each kind from a program that causes all kinds.
func TestCheck(t *testing.T) {
	p := irtest.KitchenSink()
	p.Pools[0].Endpoints[0].Weight = 2
	p.Frontends[len(p.Frontends)-1].Affinity = 40 * 86400
	list := ipvs.New(backends.Options{MasqueradeBit: 14, Scheduler: "lc"}).Check(p)
	for _, want := range []string{
		"203.0.113.1 is bound to planec-ipvs0",
		"shop/sticky:http/tcp has 3 virtual services",
		"shop/sticky:http/tcp: local pods and the node get endpoints by a hash",
		"nodePorts of ipv4 are served on the 1 addresses",
		"scheduler lc does not heed weights",
		"3456000 s of affinity",
	} {
		n := 0
		for _, d := range list {
			if strings.Contains(d.Message, want) {
				n++
				if d.Code != diag.Approximated {
					t.Errorf("%v: want %v", d, diag.Approximated)
				}
			}
		}
		if n == 0 {
			t.Errorf("no message %q in %v", want, list)
		}
	}
	if list := ipvs.New(backends.DefaultOptions()).Check(goldens()["small"]); len(list) > 0 {
		t.Errorf("a small program: %v", list)
	}
}

// TestTooManyMarks refuses the Services for which no mark is left, and says so.
func TestTooManyMarks(t *testing.T) {
	const n = 8192 + 3
	p := &ir.Program{Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Pools = []ir.Pool{irtest.Pool("all", "+10.1.0.2:8080", "10.1.1.2:8080"), irtest.Pool("local", "+10.1.0.2:8080")}
	for i := range n {
		f := irtest.Frontend(ir.LoadBalancer, fmt.Sprintf("s-%d", i), fmt.Sprintf("203.0.%d.%d:80", 113+i/250, i%250), "all")
		f.External.Pool = "local"
		p.Frontends = append(p.Frontends, f)
	}
	p.Normalize()
	b := ipvs.New(backends.DefaultOptions())
	left := 0
	for _, d := range b.Check(p) {
		if d.Code == diag.NotExpressible {
			left++
		}
	}
	a := emit(t, p, backends.DefaultOptions())
	if marked := strings.Count(string(a.File(ipvs.ServicesFile)), "-A -f "); marked != 8192 || left == 0 || left > 3 {
		t.Errorf("%d marked services, want 8192; %d diagnostics, want 1 to 3", marked, left)
	}
}

// TestOptions refuses options that cannot be emitted.
func TestOptions(t *testing.T) {
	for _, opts := range []backends.Options{{MasqueradeBit: 32}, {MasqueradeBit: -1}, {MasqueradeBit: 14, Scheduler: "sed"}} {
		if _, err := ipvs.New(opts).Emit(goldens()["small"]); err == nil {
			t.Errorf("%+v: no error", opts)
		}
	}
}

// TestMarksStay: a new Service does not change the mark of another one.
func TestMarksStay(t *testing.T) {
	before := emit(t, irtest.KitchenSink(), backends.DefaultOptions())
	p := irtest.KitchenSink()
	f := irtest.Frontend(ir.LoadBalancer, "another", "203.0.113.9:80", "cart")
	f.External.Pool = "cart-local"
	p.Frontends = append(p.Frontends, f)
	p.Normalize()
	after := string(emit(t, p, backends.DefaultOptions()).File(ipvs.SetsFile))
	marks := 0
	for l := range strings.Lines(string(before.File(ipvs.SetsFile))) {
		if strings.Contains(l, " skbmark ") {
			marks++
			if !strings.Contains(after, l) {
				t.Errorf("moved: %s", l)
			}
		}
	}
	if marks == 0 {
		t.Error("no marks at all")
	}
}
