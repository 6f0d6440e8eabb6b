package nftables

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// stickyProgram is one Service with affinity behind a ClusterIP, a load-balancer
// address with an external pool of its own, and a nodePort.
func stickyProgram(seconds uint32, endpoints ...string) *ir.Program {
	p := irtest.KitchenSink()
	p.Pools, p.Frontends = nil, nil
	p.Pools = []ir.Pool{irtest.Pool("sticky", endpoints...), irtest.Pool("sticky-local")}
	for _, e := range p.Pools[0].Endpoints {
		if e.Local {
			p.Pools[1].Endpoints = append(p.Pools[1].Endpoints, e)
		}
	}
	for _, f := range []ir.Frontend{
		irtest.Frontend(ir.ClusterIP, "sticky", "10.96.0.1:90", "sticky"),
		irtest.Frontend(ir.LoadBalancer, "sticky", "203.0.113.3:90", "sticky"),
		irtest.Frontend(ir.NodePort, "sticky", "0.0.0.0:30090", "sticky"),
	} {
		f.Affinity = seconds
		if f.Kind == ir.LoadBalancer {
			f.External = ir.Route{Pool: "sticky-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
		}
		p.Frontends = append(p.Frontends, f)
	}
	p.Normalize()
	return p
}

var (
	stickyFrontends = []string{"10.96.0.1:90", "192.168.9.1:30090"}
	fiveEndpoints   = []string{"+10.1.0.2:9090", "+10.1.0.3:9090", "10.1.1.2:9090", "10.1.2.2:9090", "10.1.3.2:9090"}
)

// stickyRig loads the program, and foreign rules that set every other bit of
// the mark before planec's and count the packets that lost any of them after.
func stickyRig(t *testing.T, p *ir.Program) *testkit.Rig {
	t.Helper()
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.SpecFor(p, nil))
	load(t, r, emit(t, p, backends.DefaultOptions()))
	load(t, r, `table ip foreign {
		chain prerouting {
			type filter hook prerouting priority mangle
			iifname "eth0" meta mark set 0xdeadbeef
		}
		chain postrouting {
			type filter hook postrouting priority 200
			ip daddr 10.1.0.0/16 ct direction original iifname "eth0" meta mark & 0xffffbfff != 0xdeadbeef counter comment "lost"
			ip daddr 10.1.0.0/16 ct direction original iifname "eth0" meta mark & 0xffffbfff == 0xdeadbeef counter comment "kept"
			ip daddr 10.1.0.0/16 meta priority != 0 counter comment "lost"
		}
	}`)
	t.Cleanup(func() { marksKept(t, r) })
	return r
}

func marksKept(t *testing.T, r *testkit.Rig) {
	kept := false
	for line := range strings.Lines(list(t, r)) {
		if strings.Contains(line, `comment "lost"`) && !strings.Contains(line, "packets 0 ") {
			t.Errorf("packets lost foreign bits of the mark, or have a foreign priority: %s", line)
		}
		kept = kept || strings.Contains(line, `comment "kept"`) && !strings.Contains(line, "packets 0 ")
	}
	if !kept {
		t.Errorf("no packet was seen with its mark")
	}
}

func clients(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("198.51.100.%d", i+1))
	}
	return out
}

// ask makes one connection from each client to each destination and returns the
// client's one endpoint; every connection must be answered.
func ask(t *testing.T, r *testkit.Rig, clients []string, destinations ...string) map[string]netip.AddrPort {
	t.Helper()
	got := make(map[string]netip.AddrPort)
	for _, dst := range destinations {
		var flows []testkit.Flow
		for _, c := range clients {
			flows = append(flows, flow(eval.FromOutside, c, dst))
		}
		outcomes, err := r.Try(t.Context(), flows, testkit.Patience)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Fate != testkit.Answered {
				t.Fatalf("%v: %v", flows[i], o)
			}
			if before, have := got[clients[i]]; have && before != o.Endpoint {
				t.Errorf("%v: %v, but %v answered before", flows[i], o.Endpoint, before)
			}
			got[clients[i]] = o.Endpoint
		}
	}
	return got
}

func TestAffinitySticks(t *testing.T) {
	p := stickyProgram(10800, fiveEndpoints...)
	r := stickyRig(t, p)
	cs := clients(100)
	first := ask(t, r, cs, stickyFrontends...)
	for range 5 {
		for c, e := range ask(t, r, cs, stickyFrontends...) {
			if first[c] != e {
				t.Errorf("%s moved from %v to %v", c, first[c], e)
			}
		}
	}
	counts := make(map[netip.AddrPort]int)
	for _, e := range first {
		counts[e]++
	}
	for _, e := range p.Pools[0].Endpoints {
		if counts[e.Address] < 8 {
			t.Errorf("the clients are not spread: %v", counts)
		}
	}
	got, err := r.Sticky(t.Context(), flow(eval.FromNode, "192.168.9.1", "10.96.0.1:90"), 20)
	if err != nil {
		t.Error(err)
	}
	t.Logf("spread %v; the node itself: %v", counts, got)
}

// TestAffinityOverRoutes asks an address whose external pool is smaller: the
// client keeps its endpoint where that is allowed, and is bound anew where not.
func TestAffinityOverRoutes(t *testing.T) {
	r := stickyRig(t, stickyProgram(10800, fiveEndpoints...))
	cs := clients(60)
	first := ask(t, r, cs, "10.96.0.1:90")
	local := ask(t, r, cs, "203.0.113.3:90")
	again := ask(t, r, cs, stickyFrontends...)
	for _, c := range cs {
		isLocal := strings.HasPrefix(first[c].String(), "10.1.0.")
		if isLocal && local[c] != first[c] {
			t.Errorf("%s left %v for %v", c, first[c], local[c])
		}
		if !strings.HasPrefix(local[c].String(), "10.1.0.") {
			t.Errorf("%s got %v, which is not local", c, local[c])
		}
		if again[c] != local[c] {
			t.Errorf("%s was bound to %v and then got %v", c, local[c], again[c])
		}
	}
}

// TestAffinityWhenEndpointsChange removes and adds endpoints as the applier
// does: their clients move, all others stay, and no connection is lost.
func TestAffinityWhenEndpointsChange(t *testing.T) {
	steps := [][]string{
		fiveEndpoints,
		slices.Concat(fiveEndpoints[:2], fiveEndpoints[3:]),
		append(slices.Concat(fiveEndpoints[:2], fiveEndpoints[3:]), "10.1.4.2:9090", "10.1.5.2:9090"),
		{"10.1.5.2:9090"},
		fiveEndpoints,
	}
	at := stickyProgram(10800, steps[0]...)
	r := stickyRig(t, at)
	cs := clients(100)
	before := ask(t, r, cs, stickyFrontends...)
	chains := make(map[string]bool)
	for i, endpoints := range steps[1:] {
		to := stickyProgram(10800, endpoints...)
		text, n := transition(t, chains, at, to, backends.DefaultOptions())
		load(t, r, text)
		now := ask(t, r, cs, stickyFrontends...)
		moved := 0
		for _, c := range cs {
			stays := slices.ContainsFunc(to.Pools[0].Endpoints, func(e ir.Endpoint) bool { return e.Address == before[c] })
			if stays && now[c] != before[c] {
				t.Errorf("step %d: %s moved from %v to %v", i, c, before[c], now[c])
			}
			if !stays {
				moved++
			}
		}
		t.Logf("step %d: %d elements changed, %d clients had to move", i, n, moved)
		at, before = to, now
	}
}

// TestAffinityIPv6 is TestAffinitySticks for the other family, whose bindings
// have another key.
func TestAffinityIPv6(t *testing.T) {
	testkit.Require(t, "nft")
	p := irtest.KitchenSink()
	p.Pools = []ir.Pool{irtest.Pool("sticky", "+[fd00:10:1::2]:90", "[fd00:10:2::2]:90", "[fd00:10:2::3]:90", "[fd00:10:2::4]:90")}
	p.Frontends = []ir.Frontend{
		irtest.Frontend(ir.ClusterIP, "sticky", "[fd00:96::1]:90", "sticky"), irtest.Frontend(ir.NodePort, "sticky", "[::]:30090", "sticky"),
	}
	for i := range p.Frontends {
		p.Frontends[i].Affinity = 10800
	}
	r := testkit.New(t, testkit.SpecFor(p, nil))
	load(t, r, emit(t, p, backends.DefaultOptions()))
	var cs []string
	for i := range 100 {
		cs = append(cs, fmt.Sprintf("2001:db8:77::%x", i+1))
	}
	first := ask(t, r, cs, "[fd00:96::1]:90", "[fd00:9::1]:30090")
	seen := make(map[netip.AddrPort]bool)
	for range 3 {
		for c, e := range ask(t, r, cs, "[fd00:9::1]:30090", "[fd00:96::1]:90") {
			if seen[e] = true; first[c] != e {
				t.Errorf("%s moved from %v to %v", c, first[c], e)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("the clients got %v", seen)
	}
}

// TestAffinityExpires shows that the timeout counts from the last connection.
func TestAffinityExpires(t *testing.T) {
	r := stickyRig(t, stickyProgram(2, fiveEndpoints...))
	cs := clients(100)
	first := ask(t, r, cs, "10.96.0.1:90")
	for range 4 {
		time.Sleep(time.Second)
		for c, e := range ask(t, r, cs, "10.96.0.1:90") {
			if e != first[c] {
				t.Errorf("%s moved from %v to %v within the timeout", c, first[c], e)
			}
		}
	}
	time.Sleep(2500 * time.Millisecond)
	moved := 0
	for c, e := range ask(t, r, cs, "10.96.0.1:90") {
		if e != first[c] {
			moved++
		}
	}
	if moved < 50 {
		t.Errorf("only %d of 100 clients were drawn anew after the timeout", moved)
	}
	if text := list(t, r); strings.Contains(text, "affinity-saved-marks {\n\t\ttypeof ct id : meta mark\n\t\tsize 65536\n\t\tflags dynamic,timeout\n\t\telements") {
		t.Errorf("saved marks are left over")
	}
}
