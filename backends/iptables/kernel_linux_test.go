package iptables_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/randomcluster"
	"github.com/planec/planec/internal/testkit"
	"github.com/planec/planec/ir"
)

// variants are the two programs called iptables, each with its own idea of how
// rules get into the kernel.
var variants = []string{"legacy", "nft"}

func require(t testing.TB) {
	t.Helper()
	testkit.Require(t, "ipset", "iptables-legacy-restore", "iptables-nft-restore", "ip6tables-legacy-restore", "ip6tables-nft-restore")
}

// forVariants runs a test with each.
func forVariants(t *testing.T, f func(t *testing.T, variant string)) {
	require(t)
	for _, v := range variants {
		t.Run(v, func(t *testing.T) { f(t, v) })
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

// TestKernelRandomPrograms tries combinations that no compiler makes.
func TestKernelRandomPrograms(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		for seed := range uint64(20) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				p := randomProgram(rng)
				run(t, variant, p, testkit.RandomFlows(rng, p, 300), backends.DefaultOptions())
			})
		}
	})
}

// TestKernelGeneratedClusters tries what the compiler makes of clusters that
// nobody chose.
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
