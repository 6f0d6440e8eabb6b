package cli_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/uml"
)

// initUML is for User Mode Linux, where this binary is everything.
func initUML() { uml.Init() }

// ipvsModules are what IPVS and the rules beside it need.
var ipvsModules = []string{
	"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
	"ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "ip_set_hash_netport", "xt_set",
	"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
	"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
}

// TestIPVSInUML runs the inside in User Mode Linux, whose kernel has IPVS.
func TestIPVSInUML(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	t.Parallel()
	uml.Require(t, "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip")
	dir, err := filepath.Abs(*goldens)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: ipvsModules, Args: []string{
		"-test.run=^TestInside", "-test.v", "-test.timeout=0", "-golden-cases=" + dir, fmt.Sprintf("-guard-kills=%d", (*guardKills+1)/2),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || strings.Contains(r.Output, "--- SKIP") || !strings.Contains(r.Output, "--- PASS: TestInsideGuard") {
		t.Errorf("exit status %d:\n%s", r.Code, r.Output)
	}
	for line := range strings.Lines(r.Output) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// TestInsideGuard kills applies of IPVS that wait for their confirmation.
func TestInsideGuard(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestIPVSInUML runs it")
	}
	killWhileAsking(newKernel(t, "ipvs", "legacy"), *guardKills)
}
