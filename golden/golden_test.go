package golden

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

var (
	update   = flag.Bool("update", false, "rewrite the goldens")
	casesDir = flag.String("cases", "cases", "where the cases are")
)

// TestCases compiles every case and compares it with its goldens.
func TestCases(t *testing.T) {
	for _, c := range loadCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			in, options, read := load(t, c)
			program, diags := compiler.Compile(in)
			if err := ir.Verify(program); err != nil {
				t.Fatal(err)
			}
			all := append(read, diags...)
			got := emitAll(t, program, options, &all)
			refine(c, all)
			all.Sort()
			got["ir.txt"] = program.Text()
			got["diagnostics.txt"] = diagnosticsText(all)
			compareFiles(t, c.Dir, got)
			checkOrder(t, in, options, got)
			checkForms(t, program)
			checkFlows(t, c, program)
		})
	}
}

func loadCases(t *testing.T) []Case {
	t.Helper()
	cases, err := Load(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 45 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

// load reads a case's objects and settings, with paths relative to the case's
// directory.
func load(t *testing.T, c Case) (compiler.Input, backends.Options, diag.List) {
	t.Helper()
	paths, err := c.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	set, diags, err := manifest.Load(context.Background(), manifest.Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	strip := func(file string) string { return strings.TrimPrefix(file, filepath.ToSlash(c.Dir)+"/") }
	trimFiles(&set, strip)
	options := backends.DefaultOptions()
	in := compiler.Input{Objects: &set, Node: c.Node}
	if path := c.Config(); path != "" {
		settings, configDiags, err := nodeconfig.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		diags = append(diags, configDiags...)
		in.Config = settings.Config
		in.Config.Masquerade.Origin.File = strip(in.Config.Masquerade.Origin.File)
		options.MasqueradeBit = settings.MasqueradeBit
	}
	for i := range diags {
		diags[i].Origin.File = strip(diags[i].Origin.File)
	}
	return in, options, diags
}

// refine adds the lines of fields to diagnostics, as the command line does.
func refine(c Case, diags diag.List) {
	var locator manifest.Locator
	defer locator.Close()
	for i := range diags {
		o := diags[i].Origin
		o.File = filepath.ToSlash(filepath.Join(c.Dir, o.File))
		diags[i].Origin.Line = locator.Locate(o).Line
	}
}

func trimFiles(set *objects.Set, strip func(string) string) {
	trimList(set.Services, strip)
	trimList(set.EndpointSlices, strip)
	trimList(set.Nodes, strip)
	trimList(set.ServiceCIDRs, strip)
}

func trimList[T any](list []objects.Sourced[T], strip func(string) string) {
	for i := range list {
		list[i].File = strip(list[i].File)
	}
}

// emitAll returns the files of every backend as "<backend>/<file>".
func emitAll(t *testing.T, p *ir.Program, o backends.Options, diags *diag.List) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	for _, b := range registry.All(o) {
		if diags != nil {
			*diags = append(*diags, backends.Check(b, p)...)
		}
		artifact, err := b.Emit(p)
		if err != nil {
			t.Fatalf("%s: %v", b.Name(), err)
		}
		for _, f := range artifact.Files {
			out[b.Name()+"/"+f.Name] = f.Data
		}
	}
	wantSamePackets(t, out)
	return out
}

// wantSamePackets wants eBPF's rules for packets to be those of nftables, byte for byte.
// They are not stored a second time.
func wantSamePackets(t *testing.T, files map[string][]byte) {
	t.Helper()
	const own = ebpf.Name + "/" + ebpf.PacketsFile
	if len(files[own]) == 0 || !bytes.Equal(files[own], files[nftables.Name+"/"+nftables.FileName]) {
		t.Errorf("%s is not what nftables emits", own)
	}
	delete(files, own)
}

func diagnosticsText(diags diag.List) []byte {
	var b bytes.Buffer
	for _, d := range diags {
		fmt.Fprintln(&b, d)
	}
	return b.Bytes()
}

// compareFiles compares the goldens of a directory, or rewrites them. It fails for
// a golden file that is no longer emitted.
func compareFiles(t *testing.T, dir string, got map[string][]byte) {
	t.Helper()
	if *update {
		for name, data := range got {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, data := range got {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".bin") {
			// Its text form stands beside it and shows the difference.
			if !bytes.Equal(want, data) {
				t.Errorf("%s differs", name)
			}
			continue
		}
		if d := cmp.Diff(string(want), string(data)); d != "" {
			t.Errorf("%s (-golden +now):\n%s\nif that is meant: go test ./golden -run '%s' -update", name, d, t.Name())
		}
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		input := strings.HasPrefix(name, "input") || name == "flows.yaml" || name == "config.yaml"
		if _, made := got[name]; !made && !input {
			t.Errorf("%s is stale: nothing makes it", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkOrder compiles shuffled objects, and emits twice.
func checkOrder(t *testing.T, in compiler.Input, o backends.Options, want map[string][]byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		shuffle(rng, in.Objects.Services)
		shuffle(rng, in.Objects.EndpointSlices)
		shuffle(rng, in.Objects.Nodes)
		shuffle(rng, in.Objects.Namespaces)
		shuffle(rng, in.Objects.Pods)
		shuffle(rng, in.Objects.NetworkPolicies)
		shuffle(rng, in.Objects.ClusterNetworkPolicies)
		program, _ := compiler.Compile(in)
		if !bytes.Equal(program.Text(), want["ir.txt"]) {
			t.Fatal("another order of the objects gives another program")
		}
		for range 2 {
			for name, data := range emitAll(t, program, o, nil) {
				if !bytes.Equal(data, want[name]) {
					t.Fatalf("%s: emitting again gives other bytes", name)
				}
			}
		}
	}
}

func shuffle[T any](rng *rand.Rand, list []T) {
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func checkForms(t *testing.T, p *ir.Program) {
	t.Helper()
	again, err := irtest.ParseText(p.Text())
	if err != nil || !bytes.Equal(again.Text(), p.Text()) {
		t.Errorf("the text form does not come back: %v", err)
	}
	j, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if again, err = ir.ParseJSON(j); err != nil || !bytes.Equal(again.Text(), p.Text()) {
		t.Errorf("the JSON form does not come back: %v", err)
	}
}

// checkFlows compares the evaluator's verdicts with those of the case.
func checkFlows(t *testing.T, c Case, p *ir.Program) {
	t.Helper()
	e := eval.New(p)
	for _, f := range c.Flows {
		r := e.Eval(f.Packet)
		got := Want{Verdict: r.Verdict, Endpoints: r.Addresses(), Denied: eval.Result{Endpoints: r.Denied}.Addresses(), Masquerade: r.Masquerade}
		if got.Verdict != eval.DNAT {
			got.Denied = nil
		}
		if d := cmp.Diff(f.Want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
			t.Errorf("%s: %s\n%v", f.Name, d, r.Steps)
		}
	}
}
