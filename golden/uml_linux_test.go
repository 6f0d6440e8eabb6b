package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) {
	uml.Init()
	os.Exit(finish(m.Run()))
}

// rowsFile passes results from the tests inside to the outside.
const rowsFile = "rows.json"

// ipvsModules are what the rules need; without some of them the kernel would
// have to ask for a module with each rule.
var ipvsModules = []string{
	"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
	"ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "xt_set",
	"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
	"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
}

// TestUserModeLinux runs the kernel tests of this package for IPVS, in the only
// kernel with IPVS that can be counted on.
func TestUserModeLinux(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	besideOthers(t)
	uml.Require(t, "ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip", "sysctl")
	cases, err := filepath.Abs(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: ipvsModules, Args: []string{
		"-test.run=^(TestKernelFlows|TestGeneratedClusters|TestLeaveRows)$", "-test.v", "-test.parallel=3", "-cases=" + cases,
		fmt.Sprintf("-clusters=%d", *clusters), fmt.Sprintf("-packets=%d", *packets), fmt.Sprintf("-seed=%d", *seed),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	var rows []string
	if err := json.Unmarshal(r.Files[rowsFile], &rows); err != nil || len(rows) != 2 {
		t.Fatalf("nothing says that both tests ran: %v %v\n%s", rows, err, r.Output)
	}
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, rows...)
	t.Logf("User Mode Linux ready in %v, tests took %v: %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond), rows)
}

// TestLeaveRows runs last inside: it passes the results to the outside.
func TestLeaveRows(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestUserModeLinux runs it")
	}
	b, err := json.Marshal(table.rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uml.OutDir, rowsFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func loadIPVS(r *testkit.Rig, content func(string) []byte) error {
	for _, step := range []struct {
		file string
		args []string
	}{
		{ipvs.SysctlFile, []string{"sysctl", "-q", "-p", "-"}},
		{ipvs.SetsFile, []string{"ipset", "-exist", "restore"}},
		{ipvs.AddressesFile, []string{"ip", "-batch", "-"}},
		{ipvs.ServicesFile, []string{"ipvsadm", "-R"}},
		{ipvs.RulesFile, []string{"iptables-legacy-restore", "--noflush"}},
		{ipvs.RulesFile6, []string{"ip6tables-legacy-restore", "--noflush"}},
		{ipvs.JumpsFile, []string{"iptables-legacy-restore", "--noflush"}},
		{ipvs.JumpsFile6, []string{"ip6tables-legacy-restore", "--noflush"}},
	} {
		if _, err := r.Run(string(content(step.file)), step.args[0], step.args[1:]...); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
	}
	return nil
}
