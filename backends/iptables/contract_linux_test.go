package iptables_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

var odd = backends.Options{MasqueradeBit: 31, NoComments: true}

// TestCanonical wants the kernel's listing to equal the emitted text.
func TestCanonical(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		programs := goldens()
		for seed := range uint64(10) {
			programs[fmt.Sprint("seed-", seed)] = irtest.RandomProgram(rand.New(rand.NewPCG(seed, 9)))
		}
		for seed := range uint64(20) {
			programs[fmt.Sprint("policies-", seed)] = policedProgram(seed)
		}
		programs["many"], programs["ports"] = irtest.ManyServices(300), manyPorts()
		for name, p := range programs {
			for _, opts := range []backends.Options{backends.DefaultOptions(), odd} {
				t.Run(fmt.Sprintf("%s/bit=%d", name, opts.MasqueradeBit), func(t *testing.T) {
					r := testkit.New(t, testkit.Spec{})
					files := emit(t, p, opts)
					mustLoad(t, r, variant, files)
					listedAsEmitted(t, r, variant, files)
				})
			}
		}
	})
}

const foreign = `*nat
:FOREIGN - [0:0]
-A POSTROUTING -d 192.0.2.1/32 -j FOREIGN
-A FOREIGN -j MASQUERADE
COMMIT
*filter
:FOREIGN - [0:0]
-A FORWARD -j FOREIGN
-A FOREIGN -d 192.0.2.1/32 -j ACCEPT
COMMIT
`

// TestReplaces loads programs over each other beside foreign rules, sweeps, and
// cleans up.
func TestReplaces(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		r := testkit.New(t, testkit.Spec{})
		if _, err := r.Run(foreign, "iptables-"+variant+"-restore", "--noflush"); err != nil {
			t.Fatal(err)
		}
		before := save(t, r, "iptables", variant)
		var files map[string]string
		for _, step := range []struct {
			golden string
			opts   backends.Options
		}{{"everything", backends.DefaultOptions()}, {"everything", odd}, {"policies", odd}, {"veth-detection", odd}, {"policies", backends.DefaultOptions()}, {"small", odd}, {"everything", odd}, {"empty", odd}, {"hostile-names", odd}} {
			files = emit(t, goldens()[step.golden], step.opts)
			mustLoad(t, r, variant, files)
			mustLoad(t, r, variant, files)
			declaredAsEmitted(t, r, variant, files)
			jumpsOnce(t, r, variant)
		}
		if err := sweep(r, variant, files); err != nil {
			t.Fatal(err)
		}
		listedAsEmitted(t, r, variant, files)
		if err := clean(r, variant, files); err != nil {
			t.Fatal(err)
		}
		// A cleaned-up legacy table stays, empty.
		if d := cmp.Diff(content(before), content(save(t, r, "iptables", variant))); d != "" {
			t.Errorf("not as before:\n%s", d)
		}
		if got := content(save(t, r, "ip6tables", variant)); len(got) != 0 {
			t.Errorf("left over: %v", got)
		}
		if out, err := r.Run("", "ipset", "list", "-n"); err != nil || out != "" {
			t.Errorf("sets left over: %s %v", out, err)
		}
	})
}

// TestJumpsComeBack: a load restores jumps that another program removed.
func TestJumpsComeBack(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		r := testkit.New(t, testkit.Spec{})
		files := emit(t, goldens()["everything"], odd)
		mustLoad(t, r, variant, files)
		if _, err := r.Run("*nat\n-F PREROUTING\n-F OUTPUT\n-F POSTROUTING\nCOMMIT\n", "iptables-"+variant+"-restore", "--noflush"); err != nil {
			t.Fatal(err)
		}
		mustLoad(t, r, variant, files)
		jumpsOnce(t, r, variant)
	})
}

// TestSecondLoadKeepsBindings: a load keeps the bindings of clients in the kernel.
func TestSecondLoadKeepsBindings(t *testing.T) {
	require(t)
	r := testkit.New(t, testkit.Spec{})
	files := emit(t, irtest.KitchenSink(), backends.DefaultOptions())
	mustLoad(t, r, "legacy", files)
	out, err := r.Run("", "ipset", "list", "-n")
	if err != nil {
		t.Fatal(err)
	}
	sets := strings.Fields(out)
	i := slices.IndexFunc(sets, func(s string) bool { return strings.HasPrefix(s, "plc-af-") })
	if _, err := r.Run("", "ipset", "add", sets[i], "192.0.2.7", "timeout", "1000"); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, r, "legacy", emit(t, irtest.KitchenSink(), odd))
	if _, err := r.Run("", "ipset", "test", sets[i], "192.0.2.7"); err != nil {
		t.Error(err)
	}
}

func mustLoad(t *testing.T, r *testkit.Rig, variant string, files map[string]string) {
	t.Helper()
	if err := load(r, variant, files); err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, r *testkit.Rig, command, variant string) string {
	t.Helper()
	out, err := r.Run("", command+"-"+variant+"-save")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tables splits the output of iptables-save into tables, and returns the chains
// and rules that keep selects by the chain's name.
func tables(text string, keep func(table, chain string) bool) map[string]string {
	out := make(map[string]string)
	table := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case line[0] == '*':
			table = words[0][1:]
		case line[0] == ':' && keep(table, words[0][1:]):
			out[table] += words[0] + "\n"
		case words[0] == "-A" && keep(table, words[1]):
			out[table] += line
		}
	}
	return out
}

func ours(_, chain string) bool { return strings.HasPrefix(chain, "PLC-") }

// listedAsEmitted wants exactly what was emitted among planec's chains.
func listedAsEmitted(t *testing.T, r *testkit.Rig, variant string, files map[string]string) {
	t.Helper()
	for _, c := range commands {
		if d := cmp.Diff(tables(files[c+".rules"], ours), tables(save(t, r, c, variant), ours)); d != "" {
			t.Errorf("%s: -emitted +listed:\n%s", c, d)
		}
	}
}

// declaredAsEmitted is listedAsEmitted without the chains that older programs
// left; no rule may lead to these.
func declaredAsEmitted(t *testing.T, r *testkit.Rig, variant string, files map[string]string) {
	t.Helper()
	for _, c := range commands {
		declared := func(table, chain string) bool {
			return strings.Contains(tables(files[c+".rules"], ours)[table], ":"+chain+"\n")
		}
		if d := cmp.Diff(tables(files[c+".rules"], ours), tables(save(t, r, c, variant), declared)); d != "" {
			t.Errorf("%s: -emitted +listed:\n%s", c, d)
		}
	}
}

// jumpsOnce wants each jump once, and first.
func jumpsOnce(t *testing.T, r *testkit.Rig, variant string) {
	t.Helper()
	for _, c := range commands {
		listed := tables(save(t, r, c, variant), func(_, chain string) bool { return !strings.HasPrefix(chain, "PLC-") })
		var n int
		for table, text := range listed {
			n += strings.Count(text, "-j PLC-")
			for _, chain := range []string{"PREROUTING", "POSTROUTING", "INPUT", "FORWARD", "OUTPUT"} {
				if first, rest, found := strings.Cut(text, "-A "+chain+" -j PLC-"+chain+"\n"); found && (strings.Contains(first, "-A "+chain+" ") || strings.Contains(rest, "PLC-"+chain)) {
					t.Errorf("%s %s: the jump is not the only and first:\n%s", c, table, text)
				}
			}
		}
		if n != 8 {
			t.Errorf("%s: %d jumps:\n%v", c, n, listed)
		}
	}
}

// content is the rules and planec's chains of a listing.
func content(text string) map[string]string {
	builtIn := []string{"PREROUTING", "POSTROUTING", "INPUT", "FORWARD", "OUTPUT"}
	out := tables(text, func(string, string) bool { return true })
	for table, body := range out {
		var lines []string
		for line := range strings.Lines(body) {
			if !slices.Contains(builtIn, strings.Trim(line, ":\n")) {
				lines = append(lines, line)
			}
		}
		if out[table] = strings.Join(lines, ""); out[table] == "" {
			delete(out, table)
		}
	}
	return out
}

// TestUnusualNames: an interface name may contain characters that are special in
// other contexts.
func TestUnusualNames(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for _, local := range []ir.LocalDetector{
			{Mode: ir.DetectInterface, Interface: "-br.0@a"},
			{Mode: ir.DetectInterfacePrefix, Interface: "fifteen-letters"},
			{Mode: ir.DetectInterfacePrefix, Interface: "14-letters-all"},
			{Mode: ir.DetectCIDR, CIDRs: irtest.Prefixes("0.0.0.0/0", "fd00:10:1::/64", "fd00:10:2::/64")},
		} {
			p := irtest.KitchenSink()
			p.Node.Local = local
			r := testkit.New(t, testkit.Spec{})
			files := emit(t, p, backends.DefaultOptions())
			mustLoad(t, r, variant, files)
			listedAsEmitted(t, r, variant, files)
		}
	})
}
