package iptables_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// variants are the two programs called iptables, which load rules into the kernel
// in different ways.
var variants = []string{"legacy", "nft"}

func require(t testing.TB) {
	t.Helper()
	testkit.Require(t, "ipset", "iptables-legacy-restore", "iptables-nft-restore", "ip6tables-legacy-restore", "ip6tables-nft-restore")
}

// forVariants runs a test with each.
func forVariants(t *testing.T, f func(t *testing.T, variant string)) {
	require(t)
	for _, v := range variants {
		t.Run(v, func(t *testing.T) {
			t.Parallel() // they wait for dropped packets most of the time
			f(t, v)
		})
	}
}

// commands are the start of the programs' names and of the files'.
var commands = []string{"iptables", "ip6tables"}

// load runs the commands of doc.go that load the files, sweep those that
// remove what older programs left.
func load(r *testkit.Rig, variant string, files map[string]string) error {
	return script(r, "load", variant, files)
}

func sweep(r *testkit.Rig, variant string, files map[string]string) error {
	return script(r, "sweep", variant, files)
}

// script runs the lines of doc.go that begin with "set -e # name".
func script(r *testkit.Rig, name, variant string, files map[string]string) error {
	dir, err := os.MkdirTemp("", "planec-iptables")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		return err
	}
	_, lines, found := strings.Cut(string(doc), "//\tset -e # "+name+"\n")
	if !found {
		return fmt.Errorf("doc.go does not say how to %s", name)
	}
	lines, _, _ = strings.Cut("\n"+lines, "\n//\n")
	lines = strings.ReplaceAll(lines, "\n//\t", "\n")
	lines = strings.NewReplacer("$c-save", "$c-"+variant+"-save", "$c-restore", "$c-"+variant+"-restore").Replace(lines)
	// A pipe hides the failure of its first part.
	out, err := r.Run("set -o pipefail\ncd "+dir+"\nset -e"+lines, "bash")
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func clean(r *testkit.Rig, variant string, files map[string]string) error {
	for _, c := range commands {
		if _, err := r.Run(files[c+"-clean.rules"], c+"-"+variant+"-restore", "--noflush"); err != nil {
			return err
		}
	}
	_, err := r.Run(files["ipset-clean.rules"], "ipset", "restore")
	return err
}

func run(t *testing.T, variant string, p *ir.Program, flows []testkit.Flow, opts backends.Options) {
	t.Helper()
	files := emit(t, p, opts)
	testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error { return load(r, variant, files) })
	if t.Failed() {
		t.Logf("%s\n%s\n%s", files["iptables.rules"], files["ip6tables.rules"], files["ipset.rules"])
	}
}

// TestKernelGoldenPrograms tries every kind of packet on the programs whose
// text is kept.
func TestKernelGoldenPrograms(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for name, p := range goldens() {
			t.Run(name, func(t *testing.T) {
				run(t, variant, p, testkit.RandomFlows(rand.New(rand.NewPCG(1, 2)), p, 400), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelRandomPrograms tries combinations that the compiler does not produce.
func TestKernelRandomPrograms(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for seed := range uint64(20) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				p := irtest.RandomProgram(rng)
				run(t, variant, p, testkit.RandomFlows(rng, p, 300), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelGeneratedClusters tries compiled programs of random clusters.
func TestKernelGeneratedClusters(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for seed := uint64(1); seed <= 30; seed++ {
			t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
				c := randomcluster.New(seed)
				p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
				run(t, variant, p, testkit.RandomFlows(rand.New(rand.NewPCG(seed, 2)), p, 200), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelManyPorts walks the whole dispatch tree and a pool of groups.
func TestKernelManyPorts(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		p := manyPorts()
		p.Pools[0].Endpoints = p.Pools[0].Endpoints[:70]
		run(t, variant, p, testkit.RandomFlows(rand.New(rand.NewPCG(3, 2)), p, 1000), backends.DefaultOptions())
	})
}

// TestKernelManyAddresses tries random addresses, addresses chosen by an attacker,
// and ports of one address, in both families.
func TestKernelManyAddresses(t *testing.T) {
	p := irtest.KitchenSink()
	matches := slices.Concat(
		inRange("10.112.0.0/12", 200), hosts(200, "0.0.0.1"), somePorts(30), nodePorts(30),
		inRange("fd00:10:97::/108", 200), hosts(200, "fd00::1"),
	)
	p.Frontends, p.Pools = nil, append(p.Pools, irtest.Pool("a", "10.1.0.1:80"), irtest.Pool("b", "[fd00::1]:80"))
	for i, m := range matches {
		p.Frontends = append(p.Frontends, frontendAt(i, m))
	}
	p.Normalize()
	flows := testkit.RandomFlows(rand.New(rand.NewPCG(4, 2)), p, 1000)
	forVariants(t, func(t *testing.T, variant string) { run(t, variant, p, flows, backends.DefaultOptions()) })
}

// TestKernelDeepest loads the longest possible path: addresses and ports that were
// chosen for it, different routes per source, affinity, a pool of groups.
func TestKernelDeepest(t *testing.T) {
	p := programAt(bitByBit())
	many := ir.Pool{ID: "many"}
	for i := range 40 {
		a := netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(1 + i)})
		many.Endpoints = append(many.Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(a, 80), Weight: 1})
	}
	p.Pools = append(p.Pools, many)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		f.Service.Name, f.Affinity, f.Internal.Pool = "deep", 600, "many"
	}
	p.Normalize()
	files := emit(t, p, backends.DefaultOptions())
	d := readDispatch(files["ip6tables.rules"])
	if n := d.depth("PLC-SERVICES"); n != deepest {
		t.Errorf("%d chains deep: want the most, %d", n, deepest)
	}
	forVariants(t, func(t *testing.T, variant string) {
		mustLoad(t, testkit.New(t, testkit.SpecFor(p, nil)), variant, files)
	})
}

// TestSpread counts who answers: shares by weight, also of a pool of groups.
func TestSpread(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		p := irtest.KitchenSink()
		p.Pools[0].Endpoints = nil
		total := 0
		for i := range 40 {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 1, byte(1 + i)}), 8080)
			p.Pools[0].Endpoints = append(p.Pools[0].Endpoints, ir.Endpoint{Address: a, Weight: uint16(1 + i%2)})
			total += 1 + i%2
		}
		p.Normalize()
		r := testkit.New(t, testkit.SpecFor(p, nil))
		mustLoad(t, r, variant, emit(t, p, backends.DefaultOptions()))
		const n = 6000
		f := testkit.Flow{From: eval.FromOutside, Src: netip.MustParseAddr("192.0.2.9"), Dst: netip.MustParseAddr("10.96.0.1"), Protocol: ir.TCP, Port: 80}
		got, err := r.Spread(t.Context(), f, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Pools[0].Endpoints {
			want := n * int(e.Weight) / total
			if have := got[e.Address]; have < want/2 || have > want*3/2 {
				t.Errorf("%v: %d of %d, want about %d", e.Address, have, n, want)
			}
		}
	})
}
