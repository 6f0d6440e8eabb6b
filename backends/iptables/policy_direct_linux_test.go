package iptables_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelNeighbours: under policies that deny everything, packets of accepted
// connections pass (including ICMP errors), neighbour discovery works, the node
// reaches its pods, and packets from pods to their node are judged.
func TestKernelNeighbours(t *testing.T) {
	testkit.Require(t, "ip", "bash", "nsenter", "unshare")
	forVariants(t, func(t *testing.T, variant string) {
		script, err := os.ReadFile("testdata/pods.sh")
		if err != nil {
			t.Fatal(err)
		}
		r := testkit.New(t, testkit.Spec{})
		mustLoad(t, r, variant, emit(t, twoPods(ir.Drop), backends.DefaultOptions()))
		got, err := r.Run(string(script), "bash")
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		var want strings.Builder
		for _, f := range []string{"10.1.", "fd00:"} {
			for _, line := range []string{"related %s: refused", "denied %s: silent", "ingress %s: silent", "own node %s: refused", "own node denied %s: silent", "from node %s: refused"} {
				fmt.Fprintf(&want, line+"\n", f)
			}
		}
		if got != want.String() {
			t.Errorf("got\n%s, want\n%s", got, &want)
		}
	})
}

// TestKernelRefusals: a denied packet is dropped or rejected, in both directions
// and on the way to the node; replies pass; and accepted packets pass foreign
// rules.
func TestKernelRefusals(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for _, refusal := range ir.Refusals() {
			t.Run(refusal.String(), func(t *testing.T) {
				denied := map[ir.Refusal]testkit.Fate{ir.Drop: testkit.TimedOut, ir.Reject: testkit.Refused}[refusal]
				var flows []testkit.Flow
				var want []testkit.Fate
				add := func(fate testkit.Fate, from eval.Entry, src, dst string) {
					to := netip.MustParseAddrPort(dst)
					for _, proto := range []ir.Protocol{ir.TCP, ir.UDP} {
						flows = append(flows, testkit.Flow{From: from, Src: netip.MustParseAddr(src), Dst: to.Addr(), Protocol: proto, Port: to.Port()})
						want = append(want, fate)
					}
				}
				add(testkit.Answered, eval.FromPod, "10.1.1.1", "192.0.2.1:999")
				add(testkit.Answered, eval.FromPod, "fd00:1::1", "[2001:db8::1]:999")
				add(testkit.Answered, eval.FromPod, "10.1.1.1", "192.168.9.1:999")
				add(testkit.Answered, eval.FromNode, "192.168.9.1", "10.1.2.1:80")
				add(testkit.Answered, eval.FromNode, "fd00:9::1", "[fd00:2::1]:80")
				add(denied, eval.FromPod, "10.1.1.1", "192.0.2.1:998")
				add(denied, eval.FromPod, "fd00:1::1", "[2001:db8::1]:998")
				add(denied, eval.FromPod, "10.1.1.1", "192.168.9.1:998")
				add(denied, eval.FromPod, "fd00:2::1", "[fd00:9::1]:998")
				add(denied, eval.FromOutside, "192.0.2.1", "10.1.1.1:999")
				add(denied, eval.FromPod, "10.1.3.1", "10.1.2.1:80")
				// Refused, but by a foreign rule after planec's.
				add(testkit.Refused, eval.FromPod, "10.1.1.1", "10.1.0.7:80")
				r := testkit.New(t, testkit.SpecFor(twoPods(refusal), flows))
				if _, err := r.Run("*filter\n-A FORWARD -d 10.1.0.7/32 -j REJECT\nCOMMIT\n", "iptables-"+variant+"-restore", "--noflush"); err != nil {
					t.Fatal(err)
				}
				mustLoad(t, r, variant, emit(t, twoPods(refusal), backends.DefaultOptions()))
				got, err := r.Try(t.Context(), flows, 2*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				for i := range flows {
					if got[i].Fate != want[i] {
						t.Errorf("%v: %v, want %v", flows[i], got[i], want[i])
					}
				}
			})
		}
	})
}

// TestKernelUntracked: packets without connection tracking are judged
// individually, including replies.
func TestKernelUntracked(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		udp := func(src, dst string) testkit.Flow {
			to := netip.MustParseAddrPort(dst)
			return testkit.Flow{From: eval.FromPod, Src: netip.MustParseAddr(src), Dst: to.Addr(), Protocol: ir.UDP, Port: to.Port()}
		}
		flows := []testkit.Flow{
			udp("10.1.3.1", "192.0.2.1:80"), // no policy's business
			udp("10.1.3.1", "10.1.2.1:80"),
			udp("10.1.1.1", "192.0.2.1:998"),
			udp("10.1.1.1", "192.0.2.1:999"), // accepted, but not the answer
		}
		r := testkit.New(t, testkit.SpecFor(twoPods(ir.Drop), flows))
		if _, err := r.Run("*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n", "iptables-"+variant+"-restore", "--noflush"); err != nil {
			t.Fatal(err)
		}
		mustLoad(t, r, variant, emit(t, twoPods(ir.Drop), backends.DefaultOptions()))
		got, err := r.Try(t.Context(), flows, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []testkit.Fate{testkit.Answered, testkit.TimedOut, testkit.TimedOut, testkit.TimedOut} {
			if got[i].Fate != want {
				t.Errorf("%v: %v, want %v", flows[i], got[i], want)
			}
		}
	})
}
