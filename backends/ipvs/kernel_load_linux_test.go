package ipvs_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelOddPrograms makes connections with programs that the compiler does not
// produce, and reads back what was loaded.
func TestKernelOddPrograms(t *testing.T) {
	inside(t)
	programs := goldens()
	for seed := range uint64(8) {
		programs[fmt.Sprintf("seed-%d", seed)] = irtest.RandomProgram(rand.New(rand.NewPCG(seed, 7)))
	}
	for name, p := range programs {
		t.Run(name, func(t *testing.T) {
			b := ipvs.New(backends.DefaultOptions())
			var n report
			flows := possible(p, b, testkit.RandomFlows(rand.New(rand.NewPCG(1, 2)), p, 200), &n)
			testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error {
				if err := load(r, b, p); err != nil {
					return err
				}
				wantLoaded(t, r, emit(t, p, backends.DefaultOptions()))
				return nil
			})
		})
	}
}

// wantLoaded compares what the kernel lists with the files.
func wantLoaded(t *testing.T, r *testkit.Rig, a backends.Artifact) {
	t.Helper()
	compare := func(file string, want []string, command ...string) {
		t.Helper()
		out, err := r.Run("", command[0], command[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if d := cmp.Diff(want, listed(out)); d != "" {
			t.Errorf("%s (-emitted +listed):\n%s", file, d)
		}
	}
	compare(ipvs.ServicesFile, lines(a, ipvs.ServicesFile), "ipvsadm", "-Sn")
	compare(ipvs.RulesFile, append(lines(a, ipvs.RulesFile), jumps(a, ipvs.JumpsFile)...), "iptables-legacy-save")
	compare(ipvs.RulesFile6, append(lines(a, ipvs.RulesFile6), jumps(a, ipvs.JumpsFile6)...), "ip6tables-legacy-save")
	var sets []string
	for _, l := range lines(a, ipvs.SetsFile) {
		if strings.HasPrefix(l, "add ") {
			sets = append(sets, strings.Replace(l, "-next ", " ", 1))
		} else if strings.HasPrefix(l, "create ") && !strings.Contains(l, "-next ") {
			sets = append(sets, l)
		}
	}
	compare(ipvs.SetsFile, sets, "ipset", "save")
}

func lines(a backends.Artifact, file string) []string {
	if len(a.File(file)) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(a.File(file)), "\n"), "\n")
}

// jumps are as iptables-save lists them.
func jumps(a backends.Artifact, file string) []string {
	var out []string
	for _, l := range lines(a, file) {
		if rest, found := strings.CutPrefix(l, "-I "); found {
			out = append(out, "-A "+rest)
		}
	}
	return out
}

// listed is the kernel's list, sorted, without what a file cannot have: built-in
// chains, remarks and random numbers.
func listed(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		l, _, _ = strings.Cut(strings.TrimSuffix(l, "\n"), " bucketsize ")
		if l != "" && l[0] != '#' && (l[0] != ':' || strings.HasPrefix(l, ":PLC-")) {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return out
}

// TestKernelReplaces loads programs over each other beside foreign rules.
func TestKernelReplaces(t *testing.T) {
	inside(t)
	r := testkit.New(t, testkit.Spec{})
	run := func(stdin string, command ...string) string {
		t.Helper()
		out, err := r.Run(stdin, command[0], command[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const foreign = "-A INPUT -s 192.0.2.77/32 -j DROP"
	run("*filter\n"+foreign+"\nCOMMIT\n", "iptables-legacy-restore", "--noflush")
	run("create foreign hash:ip\nadd foreign 192.0.2.78\n", "ipset", "restore")
	b := ipvs.New(backends.DefaultOptions())
	if err := load(r, b, goldens()["everything"]); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"everything", "veth-detection", "small", "empty"} {
		a := emit(t, goldens()[name], backends.DefaultOptions())
		run(string(a.File(ipvs.SetsFile)), "ipset", "-exist", "restore")
		// The first line fails: the device already exists.
		if _, err := r.Run(string(a.File(ipvs.AddressesFile)), "ip", "-force", "-batch", "-"); err == nil {
			t.Error("the device was not there")
		}
		run("", "ipvsadm", "-C")
		run(string(a.File(ipvs.ServicesFile)), "ipvsadm", "-R")
		run(string(a.File(ipvs.RulesFile)), "iptables-legacy-restore", "--noflush")
		run(string(a.File(ipvs.RulesFile6)), "ip6tables-legacy-restore", "--noflush")
		if got := run("", "iptables-legacy-save", "-t", "filter"); strings.Count(got, foreign+"\n") != 1 || strings.Count(got, "-j PLC-INPUT\n") != 1 {
			t.Errorf("%s: the foreign rule or the jump is not there once:\n%s", name, got)
		}
		run("*filter\n-D INPUT -s 192.0.2.77/32 -j DROP\nCOMMIT\n", "iptables-legacy-restore", "--noflush")
		run("destroy foreign\n", "ipset", "restore")
		wantLoaded(t, r, a)
		run("*filter\n"+foreign+"\nCOMMIT\n", "iptables-legacy-restore", "--noflush")
		run("create foreign hash:ip\n", "ipset", "restore")
		if got, want := strings.Count(run("", "ip", "address", "show", "dev", ipvs.Device), " inet"), strings.Count(string(a.File(ipvs.AddressesFile)), "address add "); got != want {
			t.Errorf("%s: %d addresses, want %d", name, got, want)
		}
	}
}

// TestKernelBalances counts the answering endpoints, and wants affinity to keep clients.
func TestKernelBalances(t *testing.T) {
	inside(t)
	p := irtest.KitchenSink()
	p.Pools[0].Endpoints[1].Weight = 2
	r := testkit.New(t, testkit.SpecFor(p, nil))
	if err := load(r, ipvs.New(backends.DefaultOptions()), p); err != nil {
		t.Fatal(err)
	}
	const n = 240
	for _, dst := range []string{"10.96.0.1:80", "203.0.113.2:80"} {
		got, err := r.Spread(t.Context(), flow(eval.FromOutside, "192.0.2.9", dst), n)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", dst, got)
		for i, e := range p.Pools[0].Endpoints {
			want := n * int(e.Weight) / 4
			if have := got[e.Address]; have < want*3/4 || have > want*5/4 {
				t.Errorf("%s: endpoint %d %v: %d of %d, want about %d", dst, i, e.Address, have, n, want)
			}
		}
	}
	for _, f := range []testkit.Flow{
		flow(eval.FromOutside, "192.0.2.9", "10.96.0.1:90"),
		flow(eval.FromOutside, "192.0.2.9", "203.0.113.3:90"),
		flow(eval.FromPod, "10.1.0.99", "203.0.113.3:90"), // by mark and hash
		flow(eval.FromNode, "192.168.9.1", "192.168.9.1:30090"),
	} {
		if _, err := r.Sticky(t.Context(), f, 12); err != nil {
			t.Error(err)
		}
	}
}

func flow(from eval.Entry, src, dst string) testkit.Flow {
	to := netip.MustParseAddrPort(dst)
	return testkit.Flow{From: from, Src: netip.MustParseAddr(src), Dst: to.Addr(), Protocol: ir.TCP, Port: to.Port()}
}

// TestKernelUnboundClient connects from the node without a source address: the
// kernel selects the virtual address, which no endpoint may see.
func TestKernelUnboundClient(t *testing.T) {
	inside(t)
	p := irtest.KitchenSink()
	for i := range p.Frontends {
		p.Frontends[i].Internal.Masquerade, p.Frontends[i].External.Masquerade = ir.MasqueradeNever, ir.MasqueradeNever
	}
	p.Masquerade = ir.Masquerade{}
	r := testkit.New(t, testkit.SpecFor(p, nil))
	if err := load(r, ipvs.New(backends.DefaultOptions()), p); err != nil {
		t.Fatal(err)
	}
	for vip, node := range map[string]string{"10.96.0.1": "192.168.9.1:", "fd00:96::1": "[fd00:9::1]:"} {
		for range 4 {
			out, err := r.Run("", "bash", "-c", "exec 3<>/dev/tcp/"+vip+"/80; cat <&3")
			if err != nil {
				t.Fatal(err)
			}
			if words := strings.Fields(out); len(words) != 3 || !strings.HasPrefix(words[2], node) {
				t.Errorf("%s: %q, want a source of %s", vip, out, node)
			}
		}
	}
}
