package ipvs_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 10, "how many generated clusters to try in the kernel")
	packets  = flag.Int("packets", 200, "how many packets to send in each")
	seed     = flag.Uint64("seed", 1, "the first cluster's seed")
)

func TestMain(m *testing.M) { uml.Main(m) }

// modules are what the tests inside need; without some of them the kernel would
// have to ask for a module with each rule.
var modules = []string{
	"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
	"xt_LOG", "ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "xt_set",
	"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
	"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
}

// report describes what the tests inside did, so that the outside test can verify
// that they ran.
type report struct {
	Programs, Packets, OtherPorts, Disagreements int
	Verdicts                                     map[string]int
}

const reportFile = "ipvs-report.json"

// TestInUML runs the tests of this file whose names begin with TestKernel in
// User Mode Linux, the only kernel with IPVS that can be counted on.
func TestInUML(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t, "ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip", "sysctl")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: modules, Args: []string{
		"-test.run=^TestKernel", "-test.v",
		fmt.Sprintf("-clusters=%d", *clusters), fmt.Sprintf("-packets=%d", *packets), fmt.Sprintf("-seed=%d", *seed),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || strings.Contains(r.Output, "--- SKIP") {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	var got report
	if err := json.Unmarshal(r.Files[reportFile], &got); err != nil {
		t.Fatalf("nothing says that the tests ran: %v\n%s", err, r.Output)
	}
	t.Logf("User Mode Linux ready in %v, tests took %v: %d programs, %d packets %v, %d to other ports of bound addresses not tried, %d disagreements",
		r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond), got.Programs, got.Packets, got.Verdicts, got.OtherPorts, got.Disagreements)
	var policed report
	if err := json.Unmarshal(r.Files[policyReportFile], &policed); err != nil || policed.Programs != policyPrograms || policed.Packets < 100*policyPrograms {
		t.Errorf("policies: %+v (%v), want %d programs with 100 packets each", policed, err, policyPrograms)
	}
	t.Logf("policies: %d programs, %d packets %v, %d to other ports of bound addresses not tried, %d disagreements",
		policed.Programs, policed.Packets, policed.Verdicts, policed.OtherPorts, policed.Disagreements)
	var dialects report
	if err := json.Unmarshal(r.Files[dialectReportFile], &dialects); err != nil || dialects.Programs != dialectPrograms || dialects.Packets < 100*dialectPrograms {
		t.Errorf("dialects: %+v (%v), want %d programs with 100 packets each", dialects, err, dialectPrograms)
	}
	t.Logf("dialects: %d programs, %d packets %v, %d not tried, %d disagreements",
		dialects.Programs, dialects.Packets, dialects.Verdicts, dialects.OtherPorts, dialects.Disagreements)
	if got.Programs != *clusters || got.Packets != *clusters**packets || got.OtherPorts*10 > got.Packets {
		t.Errorf("that is not %d clusters with %d packets each", *clusters, *packets)
	}
}

// inside skips tests that only User Mode Linux can run.
func inside(t *testing.T) {
	t.Helper()
	if !uml.Inside() {
		t.Skip("TestInUML runs it")
	}
}

// TestKernelAgreesWithEvaluator makes real connections in generated clusters.
func TestKernelAgreesWithEvaluator(t *testing.T) {
	inside(t)
	testkit.Require(t)
	n := report{Verdicts: make(map[string]int)}
	for i := range *clusters {
		s := *seed + uint64(i)
		t.Run(fmt.Sprintf("seed-%d", s), func(t *testing.T) {
			c := randomcluster.New(s)
			p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
			b := ipvs.New(backends.Options{MasqueradeBit: int(s % 32), Scheduler: ipvs.Schedulers()[s%5]})
			flows := possible(p, b, testkit.RandomFlows(rand.New(rand.NewPCG(s, 2)), p, *packets*5/4), &n)
			flows = flows[:min(len(flows), *packets)]
			r := testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error { return load(r, b, p) })
			n.add(r)
		})
	}
	write(t, n, reportFile)
}

// possible removes flows to other ports of addresses that, according to Check, are
// bound, flows that cannot be expressed, and flows of the node or to its addresses, bound
// ones included, that conntrack takes for invalid: they are not judged (doc.go, Limits).
func possible(p *ir.Program, b *ipvs.Backend, flows []testkit.Flow, n *report) []testkit.Flow {
	e := eval.New(p)
	refused := proof.NewSingle(b, p).Excludes
	var out []testkit.Flow
	for _, f := range flows {
		packet := f.Packet()
		bound := slices.ContainsFunc(p.Frontends, func(x ir.Frontend) bool { return x.Match.Address == f.Dst })
		unjudged := f.Untracked() && (f.From == eval.FromNode || bound || e.IsNodeAddress(f.Dst))
		if unjudged || refused(packet, e.Eval(packet)) {
			n.OtherPorts++
			continue
		}
		out = append(out, f)
	}
	return out
}

func (n *report) add(r testkit.Report) {
	n.Programs++
	for v, count := range r.Agreed {
		n.Verdicts[v.String()] += count
		n.Packets += count
	}
	n.Packets += len(r.Disagreements)
	n.Disagreements += len(r.Disagreements)
}

func write(t *testing.T, n report, file string) {
	t.Helper()
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uml.OutDir, file), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// load puts the files into the kernel in the order that doc.go gives.
func load(r *testkit.Rig, b *ipvs.Backend, p *ir.Program) error {
	a, err := b.Emit(p)
	if err != nil {
		return err
	}
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
		if _, err := r.Run(string(a.File(step.file)), step.args[0], step.args[1:]...); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
	}
	return nil
}
