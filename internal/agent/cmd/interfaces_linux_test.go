package cmd_test

import (
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/nftables"
	nftlive "github.com/planec/planec/backends/nftables/live"
)

// TestInterfacesOfNewPods: a pod that comes has its programs and is covered without any
// change of objects, one that goes is not; an agent that is killed leaves what there is, and
// metrics count.
func TestInterfacesOfNewPods(t *testing.T) {
	for _, flag := range []string{"--policies-at-interfaces", "--direct-pods"} {
		t.Run(flag, func(t *testing.T) { interfacesOfNewPods(t, flag) })
	}
}

func interfacesOfNewPods(t *testing.T, flag string) {
	n := newNode(t, "--backend", "ebpf", flag)
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	if s, code := n.status("--wait", "20s"); code != 0 || len(s.Programs) != 8+2 {
		t.Fatalf("status: %+v", s)
	}
	covered := func(want ...string) func() bool {
		return func() bool {
			var have *nftlive.AddressSet
			if err := n.rig.Do(func() (err error) { have, err = nftlive.Addresses(nftables.CoveredPods); return err }); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(have.Addrs, netip.Addr.Compare)
			return slices.EqualFunc(have.Addrs, want, func(a netip.Addr, b string) bool { return a.String() == b })
		}
	}
	ip := func(args string) {
		t.Helper()
		if out, err := runIn(n, exec.Command("ip", strings.Fields(args)...)); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	n.wait("the first pod is covered", covered("10.1.0.9"))
	ip("link add later0 type veth peer name later1")
	ip("link set later0 up")
	ip("route add 10.1.0.77 dev later0")
	n.wait("a later pod is covered", covered("10.1.0.9", "10.1.0.77"))
	n.wait("nothing differs", func() bool { _, code := n.planec("verify"); return code == 0 })
	ip("link del later0")
	n.wait("a pod that is gone is not", covered("10.1.0.9"))
	if _, text, _ := n.get("http://127.0.0.1:10249/metrics"); !strings.Contains(text, `planec_policy_packets_total{direction="ingress",verdict="denied"} 0`) {
		t.Error("no verdicts are counted")
	}
	n.kill(unix.SIGKILL)
	ip("link add next0 type veth peer name next1")
	ip("link set next0 up")
	ip("route add 10.1.0.78 dev next0")
	n.start()
	n.wait("a pod that came meanwhile is covered", covered("10.1.0.9", "10.1.0.78"))
}
