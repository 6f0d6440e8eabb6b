package dataplane_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/uml"
)

// ipvsModules are what the tests inside User Mode Linux need.
var ipvsModules = []string{
	"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
	"ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "ip_set_hash_netport", "xt_set",
	"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
	"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
}

var (
	umlHistories = flag.Int("uml-histories", 6, "how many random histories of changes are applied to IPVS")
	umlChanges   = flag.Int("uml-changes", 40, "how many random changes are applied to IPVS at least while connections are made")
	umlBadStages = flag.Int("uml-bad-stages", 1, "at how many stages bad objects are refused in IPVS")
	umlLimit     = flag.Duration("uml-limit", 15*time.Minute, "how long the tests of IPVS may take")
)

// ipvsPlane is the dataplane that only User Mode Linux can be counted on to have.
func ipvsPlane() plane {
	return plane{name: "ipvs", backend: "ipvs", tools: []string{"ipset", "iptables-legacy-restore", "ip6tables-legacy-restore"}, make: func() applier.Dataplane { return dataplane.IPVS("legacy") }}
}

// insideTests is how many tests begin with TestInside.
const insideTests = 4

// TestInUML runs those in User Mode Linux.
func TestInUML(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	t.Parallel()
	uml.Require(t, "ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip")
	run := "^TestInside"
	if f := flag.Lookup("test.run").Value.String(); strings.HasPrefix(f, "TestInUML/") {
		run = strings.TrimPrefix(f, "TestInUML/")
	}
	ctx, cancel := context.WithTimeout(t.Context(), *umlLimit)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: ipvsModules, Args: []string{
		"-test.run=" + run, "-test.v", "-test.timeout=0",
		fmt.Sprintf("-bad-stages=%d", *umlBadStages), fmt.Sprintf("-histories=%d", *umlHistories), fmt.Sprintf("-changes=%d", *umlChanges), fmt.Sprintf("-lasting=%v", *lasting),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || strings.Contains(r.Output, "--- SKIP") {
		t.Errorf("exit status %d:\n%s", r.Code, r.Output)
	}
	if passed := strings.Count("\n"+r.Output, "\n--- PASS: TestInside"); run == "^TestInside" && passed != insideTests {
		t.Errorf("%d tests passed, want %d:\n%s", passed, insideTests, r.Output)
	}
	for line := range strings.Lines(r.Output) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// inside skips tests that only User Mode Linux can run.
func inside(t *testing.T) {
	t.Helper()
	if !uml.Inside() {
		t.Skip("TestInUML runs it")
	}
	// The table of a machine with so little memory is full after 6144 connections.
	if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_max", []byte("262144"), 0); err != nil {
		t.Fatal(err)
	}
}

func TestInsideHistories(t *testing.T) {
	inside(t)
	manyHistories(t, ipvsPlane(), *histories)
}

func TestInsideUndisturbed(t *testing.T) {
	inside(t)
	undisturbed(t, ipvsPlane())
}
