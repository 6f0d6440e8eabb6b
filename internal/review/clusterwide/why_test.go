package clusterwide_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestWhyIsDecide holds the parts of all ports against the decision about single ports:
// each port is in a part with the same answer, and if only one rule decides, that is it.
func TestWhyIsDecide(t *testing.T) {
	counts := make(map[bool]int)
	for seed := uint64(1); seed < 40; seed += 2 {
		set := randomcluster.New(seed).Objects
		cluster := compiler.Prepare(&set, objects.Config{})
		var programs []*ir.Program
		for _, n := range cluster.Nodes() {
			p, _ := cluster.Program(n)
			programs = append(programs, p)
		}
		x := clusterwide.New(programs, make(clusterwide.Interned))
		var all []netip.Addr
		for i := range x.Policy.Profiles {
			for _, pod := range x.Policy.Profiles[i].Pods {
				all = append(all, pod.Addresses...)
			}
		}
		for _, pod := range all {
			for _, peer := range append(all, netip.MustParseAddr("203.0.113.9")) {
				for _, d := range ir.Directions() {
					holds(t, x, d, pod, peer, counts)
				}
			}
		}
	}
	if counts[true] < 1000 || counts[false] < 1000 {
		t.Errorf("%v: one answer hardly occurs", counts)
	}
}

func holds(t *testing.T, x *clusterwide.Policies, d ir.Direction, pod, peer netip.Addr, counts map[bool]int) {
	t.Helper()
	parts := x.Why(d, pod, peer)
	allowed := x.Allowed(d, pod, peer)
	for _, proto := range append(ir.Protocols(), ir.ICMP, ir.ICMPv6, 47, 99, 200) {
		for _, port := range []uint16{0, 1, 52, 53, 54, 80, 443, 769, 2048, 2049, 8080, 8081, 8082, 9000, 32768, 65535} {
			if !proto.HasPorts() && !proto.HasTypes() {
				port = 0
			}
			decision := x.Decide(d, pod, peer, eval.Transport{Protocol: proto, Port: port})
			counts[decision.Accept]++
			if allowed.Contains(proto, port) != decision.Accept {
				t.Fatalf("%v of %v, peer %v, %d/%v: %v, and %v are allowed", d, pod, peer, port, proto, decision, allowed)
			}
			named, found := false, 0
			for i := range parts {
				if !parts[i].Ports.Contains(proto, port) {
					continue
				}
				found++
				named = named || parts[i].Rule == decision.Rule
				if parts[i].Accept != decision.Accept {
					t.Fatalf("%v of %v, peer %v, %d/%v: %v, and a part says %+v", d, pod, peer, port, proto, decision, parts[i])
				}
			}
			if found == 0 || !named {
				t.Fatalf("%v of %v, peer %v, %d/%v: %v, and %d parts do not name it", d, pod, peer, port, proto, decision, found)
			}
		}
	}
}

// TestDialects holds both the allowed ports and the parts against the decision about
// single packets, with policies that only other dialects than Kubernetes' can express.
func TestDialects(t *testing.T) {
	counts := make(map[bool]int)
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 13))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		x := clusterwide.New([]*ir.Program{p}, make(clusterwide.Interned))
		var all []netip.Addr
		for i := range x.Policy.Profiles {
			for _, pod := range x.Policy.Profiles[i].Pods {
				all = append(all, pod.Addresses...)
			}
		}
		for _, pod := range all {
			for _, peer := range append(all, netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("10.1.9.9")) {
				for _, d := range ir.Directions() {
					holds(t, x, d, pod, peer, counts)
				}
			}
		}
	}
	if counts[true] < 1000 || counts[false] < 1000 {
		t.Errorf("%v: one answer hardly occurs", counts)
	}
}

func TestFold(t *testing.T) {
	var in []netip.Prefix
	for _, s := range []string{"10.0.0.0/9", "10.128.0.0/9", "11.0.0.0/8", "192.0.2.0/25", "192.0.2.128/26", "::/1", "8000::/1", "10.3.0.0/16"} {
		in = append(in, netip.MustParsePrefix(s))
	}
	got := clusterwide.Fold(in)
	want := []string{"10.0.0.0/7", "192.0.2.0/25", "192.0.2.128/26", "::/0"}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i].String() != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
