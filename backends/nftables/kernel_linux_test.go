package nftables

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelAgreesWithEvaluator loads every golden program and tries what the
// evaluator can be asked: all kinds of sources and destinations.
func TestKernelAgreesWithEvaluator(t *testing.T) {
	testkit.Require(t, "nft")
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			flows := testkit.RandomFlows(rand.New(rand.NewPCG(1, 2)), p, 400)
			testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error {
				return r.LoadNFT(emit(t, p, backends.DefaultOptions()))
			})
		})
	}
}

// TestCanonical shows that the kernel lists what was emitted, and takes it back.
func TestCanonical(t *testing.T) {
	testkit.Require(t, "nft")
	for name, p := range goldens() {
		for _, opts := range []backends.Options{backends.DefaultOptions(), {MasqueradeBit: 31, NoComments: true}} {
			t.Run(fmt.Sprintf("%s/bit=%d", name, opts.MasqueradeBit), func(t *testing.T) {
				r := testkit.New(t, testkit.Spec{})
				text := emit(t, p, opts)
				load(t, r, text)
				listed := list(t, r)
				if d := cmp.Diff(canonical(text), canonical(listed)); d != "" {
					t.Errorf("-emitted +listed:\n%s", d)
				}
				load(t, r, "flush ruleset\n"+listed)
				if again := list(t, r); again != listed {
					t.Errorf("a second listing differs:\n%s", cmp.Diff(listed, again))
				}
			})
		}
	}
}

// TestReplaces loads programs over each other beside a foreign table.
func TestReplaces(t *testing.T) {
	testkit.Require(t, "nft")
	const foreign = "table ip foreign {\n\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\tip daddr 192.0.2.1 masquerade\n\t}\n}\n"
	r := testkit.New(t, testkit.Spec{})
	load(t, r, foreign)
	odd := backends.Options{MasqueradeBit: 3, NoComments: true}
	// What another version may have left: a planec table that looks different.
	load(t, r, "table ip planec {\n\tmap services {\n\t\ttype ipv4_addr : verdict\n\t}\n\n\tchain nat-prerouting {\n\t\ttype filter hook input priority 5; policy accept;\n\t}\n}\n")
	for _, step := range []struct {
		golden string
		opts   backends.Options
	}{{"everything", backends.DefaultOptions()}, {"everything", odd}, {"veth-detection", odd}, {"small", odd}, {"policies", odd}, {"policies-only", odd}, {"everything", odd}, {"policies", odd}, {"empty", odd}} {
		text := emit(t, goldens()[step.golden], step.opts)
		load(t, r, text)
		if d := cmp.Diff(canonical(foreign+text), canonical(list(t, r))); d != "" {
			t.Errorf("after %s (-emitted +listed):\n%s", step.golden, d)
		}
	}
	got := list(t, r)
	for line := range strings.Lines(strings.TrimPrefix(got, foreign)) {
		// Chains of NAT stand for the connections that are open.
		if l := strings.TrimSpace(line); l != "" && l != "}" && !strings.HasPrefix(l, "table ") && !strings.HasPrefix(l, "chain nat-") && !strings.HasPrefix(l, "type nat ") {
			t.Errorf("an empty program leaves %q", l)
		}
	}
}

// TestSpread counts who answers.
func TestSpread(t *testing.T) {
	testkit.Require(t, "nft")
	p := irtest.KitchenSink()
	p.Pools[0].Endpoints[1].Weight = 2
	r := testkit.New(t, testkit.SpecFor(p, nil))
	load(t, r, emit(t, p, backends.DefaultOptions()))
	const n = 1200
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
}

func flow(from eval.Entry, src, dst string) testkit.Flow {
	to := netip.MustParseAddrPort(dst)
	return testkit.Flow{From: from, Src: netip.MustParseAddr(src), Dst: to.Addr(), Protocol: ir.TCP, Port: to.Port()}
}

func load(t *testing.T, r *testkit.Rig, text string) {
	t.Helper()
	if err := r.LoadNFT(text); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func list(t *testing.T, r *testkit.Rig) string {
	t.Helper()
	out, err := r.Run("", "nft", "list", "ruleset")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// canonical brings emitted and listed text into one form: an element a line,
// elements sorted, no blank lines, without the lines that remove older tables.
func canonical(text string) string {
	var out []string
	for rest := text; rest != ""; {
		before, elements, found := strings.Cut(rest, "elements = {")
		out = append(out, lines(before)...)
		if !found {
			break
		}
		var body string
		body, rest, _ = strings.Cut(elements, "}")
		out = append(out, sortedElements(body)...)
	}
	return strings.Join(out, "\n")
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "add table") && !strings.HasPrefix(line, "delete table") {
			out = append(out, line)
		}
	}
	return out
}

// TestKernelRandomPrograms is TestKernelAgreesWithEvaluator for programs that
// made at random, and TestCanonical for them too.
func TestKernelRandomPrograms(t *testing.T) {
	testkit.Require(t, "nft")
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			p := irtest.RandomProgram(rng)
			text := emit(t, p, backends.DefaultOptions())
			testkit.RunProgram(t, p, testkit.RandomFlows(rng, p, 300), func(r *testkit.Rig) error {
				load(t, r, text)
				if d := cmp.Diff(canonical(text), canonical(list(t, r))); d != "" {
					t.Errorf("-emitted +listed:\n%s", d)
				}
				return nil
			})
		})
	}
}
