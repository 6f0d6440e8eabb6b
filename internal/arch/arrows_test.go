package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/planec/planec"

// shelves is which shelves the packages of each shelf may import besides their own:
// docs/architecture.md has the same table. A folder that is not here fails the test, so
// that a new shelf is a decision. "internal/base" is free of planec but for diagnostics.
var shelves = map[string][]string{
	"ir":               {},
	"compiler":         {"ir"},
	"backends":         {"ir", "internal/text", "internal/base"},
	"golden":           {"ir"},
	"examples":         {},
	"cmd":              {"internal/cli", "internal/agent", "internal/base"},
	"internal/arch":    {},
	"internal/base":    {"ir"},
	"internal/text":    {"internal/base"},
	"internal/input":   {"ir", "compiler", "backends", "internal/base", "internal/text"},
	"internal/interp":  {"ir", "backends", "internal/base", "internal/text"},
	"internal/proof":   {"ir", "backends", "internal/base", "internal/interp"},
	"internal/review":  {"ir", "compiler", "backends", "internal/base"},
	"internal/apply":   {"ir", "compiler", "backends", "internal/base"},
	"internal/agent":   {"ir", "compiler", "backends", "internal/apply", "internal/base", "internal/input", "internal/text"},
	"internal/cli":     {"examples", "ir", "compiler", "backends", "internal/agent", "internal/apply", "internal/base", "internal/input", "internal/interp", "internal/proof", "internal/review", "internal/text"},
	"internal/testing": {"ir", "compiler", "backends", "internal/apply", "internal/base", "internal/input", "internal/interp", "internal/proof", "internal/review", "internal/text"},
}

// arrows is which packages each package of the compiler's own shelves may import: the
// compiler and the backends do not know each other, and no backend knows another one.
var arrows = map[string][]string{
	"ir":                       {},
	"ir/diag":                  {"ir"},
	"ir/bgp":                   {"ir"},
	"ir/eval":                  {"ir", "ir/space"},
	"ir/space":                 {},
	"ir/failsafe":              {"ir"},
	"ir/identity":              {},
	"ir/resolve":               {"ir", "ir/identity"},
	"compiler/objects":         {"compiler/objects/calicov3", "compiler/objects/ciliumv2", "compiler/objects/mcs", "compiler/objects/metallbv1beta1", "ir", "ir/diag", "ir/identity"},
	"compiler/service":         {"compiler/objects", "compiler/objects/mcs", "ir", "ir/diag"},
	"compiler/policy":          {"compiler/objects", "compiler/policy/calico", "compiler/policy/cilium", "compiler/policy/clause", "compiler/policy/validate", "ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"compiler/policy/clause":   {"compiler/objects", "ir"},
	"compiler/policy/validate": {},
	"compiler/announce/layer2": {"compiler/announce", "compiler/ipam", "compiler/objects", "compiler/objects/ciliumv2", "compiler/objects/metallbv1beta1", "ir", "ir/diag"},
	"ir/podnet":                {"ir"},
	"compiler/podnet":          {"compiler/objects", "ir", "ir/diag", "ir/podnet"},
	"backends/podnet":          {"backends", "ir", "ir/podnet"},
	"backends/podnet/live":     {"ir", "ir/podnet"},
	"compiler/dns":             {"compiler/objects", "compiler/objects/mcs", "ir", "ir/diag"},
	"compiler/lint":            {"compiler/objects", "compiler/policy", "ir", "ir/diag"},
	"compiler":                 {"compiler/objects", "compiler/objects/mcs", "compiler/policy", "compiler/policy/clause", "compiler/service", "ir", "ir/diag"},
	"backends":                 {"ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"backends/nftables":        {"backends", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/xtables":         {"ir", "ir/identity"},
	"backends/xtpolicy":        {"backends/xtables", "ir", "ir/diag", "ir/identity", "ir/resolve"},
	"backends/xtables/live":    {"backends", "backends/xtables"},
	"backends/nftables/live":   {"backends", "backends/nftables"},
	"backends/ipvs/live":       {"backends", "backends/ipvs", "backends/xtables", "backends/xtables/live", "ir"},
	"backends/iptables":        {"backends", "backends/xtables", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ipvs":            {"backends", "backends/xtables", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/frr":             {"backends", "ir", "ir/bgp"},
	"backends/ebpf":            {"backends", "backends/ebpf/layout", "backends/nftables", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ebpf/bpf":        {},
	"backends/ebpf/store":      {"backends/ebpf/layout"},
	"backends/ebpf/layout":     {},
	"backends/ebpf/live":       {"backends/ebpf/bpf", "backends/ebpf/store", "backends", "backends/ebpf", "backends/ebpf/layout"},
	"backends/registry":        {"backends", "backends/ebpf", "backends/iptables", "backends/ipvs", "backends/nftables"},

	// Policies of Calico.
	"compiler/objects/listed":         {},
	"compiler/objects/calicov3":       {"compiler/objects/listed"},
	"compiler/policy/calico":          {"compiler/objects", "compiler/objects/calicov3", "compiler/policy/calico/selector", "compiler/policy/clause", "compiler/policy/validate", "ir", "ir/diag"},
	"compiler/policy/calico/selector": {},

	// Policies of Cilium.
	"compiler/objects/ciliumv2": {"compiler/objects/listed"},
	"compiler/policy/cilium":    {"compiler/objects", "compiler/objects/ciliumv2", "compiler/policy/clause", "compiler/policy/validate", "ir", "ir/diag"},

	// Services of several clusters.
	"compiler/clusterset":  {"compiler/objects", "compiler/objects/mcs", "ir", "ir/diag"},
	"compiler/objects/mcs": {"compiler/objects/listed"},

	// Addresses of Services of type LoadBalancer.
	"compiler/objects/metallbv1beta1": {"compiler/objects/listed"},
	"compiler/announce":               {"compiler/ipam", "compiler/objects", "compiler/objects/ciliumv2", "compiler/objects/metallbv1beta1", "ir", "ir/bgp", "ir/diag"},
	"compiler/ipam":                   {"compiler/objects", "compiler/objects/ciliumv2", "compiler/objects/metallbv1beta1", "ir", "ir/diag"},
}

// kubernetes says which packages may import k8s.io: those that see objects.
var kubernetes = []string{
	"compiler",
	"compiler/announce/layer2",
	"compiler/announce",
	"compiler/clusterset",
	"compiler/dns",
	"compiler/ipam",
	"compiler/lint",
	"compiler/objects",
	"compiler/objects/calicov3",
	"compiler/objects/ciliumv2",
	"compiler/objects/listed",
	"compiler/objects/mcs",
	"compiler/objects/metallbv1beta1",
	"compiler/podnet",
	"compiler/policy",
	"compiler/policy/calico",
	"compiler/policy/cilium",
	"compiler/policy/clause",
	"compiler/policy/validate",
	"compiler/service",
	"internal/agent/bgp",
	"internal/agent/cmd",
	"internal/agent/fqdn",
	"internal/agent/health",
	"internal/agent/ipam",
	"internal/agent/layer2",
	"internal/agent/loop",
	"internal/apply/frrload",
	"internal/apply/podroutes",
	"internal/cli",
	"internal/input/apisource",
	"internal/input/clusterlist",
	"internal/input/filesource",
	"internal/input/inbox",
	"internal/input/manifest",
	"internal/input/nodeconfig",
	"internal/input/synth",
	"internal/review/compare",
	"internal/review/connectivity",
	"internal/review/dialects",
	"internal/review/netpath",
	"internal/review/report",
	"internal/review/suppress",
	"internal/testing/bench",
	"internal/testing/clustergen",
	"internal/testing/conformance",
	"internal/testing/poison",
	"internal/testing/randomcluster",
}

// netfilter says which packages may import github.com/google/nftables: those that
// compile rules or change foreign tables, and the tests' look at the kernel.
// docs/architecture.md says what it is used for.
var netfilter = []string{"backends/nftables/live", "internal/agent/takeover", "internal/testing/testkit"}

// pure packages turn values into values: nothing of the machine gets in.
var pure = []string{
	"backends",
	"backends/ebpf",
	"backends/ebpf/layout",
	"backends/frr",
	"backends/iptables",
	"backends/ipvs",
	"backends/nftables",
	"backends/podnet",
	"backends/registry",
	"backends/xtables",
	"backends/xtpolicy",
	"compiler",
	"compiler/announce/layer2",
	"compiler/announce",
	"compiler/clusterset",
	"compiler/dns",
	"compiler/ipam",
	"compiler/lint",
	"compiler/objects",
	"compiler/objects/calicov3",
	"compiler/objects/ciliumv2",
	"compiler/objects/listed",
	"compiler/objects/mcs",
	"compiler/objects/metallbv1beta1",
	"compiler/podnet",
	"compiler/policy",
	"compiler/policy/calico",
	"compiler/policy/calico/selector",
	"compiler/policy/cilium",
	"compiler/policy/clause",
	"compiler/policy/validate",
	"compiler/service",
	"internal/input/synth",
	"internal/proof",
	"internal/review/clusterwide",
	"internal/review/compare",
	"internal/review/connectivity",
	"internal/review/diffreport",
	"internal/review/suppress",
	"ir",
	"ir/bgp",
	"ir/diag",
	"ir/eval",
	"ir/podnet",
	"ir/resolve",
	"ir/space",
}

// impure are the packages of the standard library that pure ones must not see.
var impure = []string{"os", "time", "math/rand", "math/rand/v2", "log", "log/slog", "net", "syscall", "os/exec", "io/fs", "path/filepath"}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestArrows(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imp := range p.Imports {
			if planec, ok := strings.CutPrefix(imp, module+"/"); ok && !allowed(t, name, planec) {
				t.Errorf("%s must not import %s", name, planec)
			}
			if strings.HasPrefix(imp, "k8s.io/") && !slices.Contains(kubernetes, name) {
				t.Errorf("%s must not import %s: only packages that see objects may", name, imp)
			}
			if strings.HasPrefix(imp, "github.com/google/nftables") && !slices.Contains(netfilter, name) {
				t.Errorf("%s must not import %s: only packages with a reason in docs/architecture.md may", name, imp)
			}
			if slices.Contains(pure, name) && slices.Contains(impure, imp) {
				t.Errorf("%s must not import %s: it is pure", name, imp)
			}
		}
	}
}

// allowed reports whether a package may import another one of planec.
func allowed(t *testing.T, name, imported string) bool {
	from, to := shelfOf(name), shelfOf(imported)
	others, known := shelves[from]
	if !known {
		t.Errorf("package %s is on no shelf of the table", name)
		return true
	}
	if from == "ir" || from == "compiler" || from == "backends" {
		list, known := arrows[name]
		if !known {
			t.Errorf("package %s is not in the table of arrows", name)
			return true
		}
		return slices.Contains(list, imported) || strings.HasPrefix(to, "internal/") && slices.Contains(others, to)
	}
	if strings.HasPrefix(name, "internal/interp") && to == "backends" && !slices.Contains(interpreted, imported) {
		return false
	}
	return from == to || slices.Contains(others, to)
}

// interpreted is what interpreters may know of backends: the names of artifacts, and the
// layout of an image. They share no code with the emitters.
var interpreted = []string{"backends", "backends/ebpf", "backends/ebpf/layout"}

// shelfOf is the folder of the first level, or of the second below internal.
func shelfOf(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if parts[0] == "internal" && len(parts) > 1 {
		return "internal/" + parts[1]
	}
	return parts[0]
}

// TestIRImportsStandardLibraryOnly keeps the IR free of everything.
func TestIRImportsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module+"/ir" {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				t.Errorf("ir imports %s", imp)
			}
		}
	}
}

// TestPageProgram keeps out of cmd/planec-wasm what a web page cannot use: it would load
// twice as much.
func TestPageProgram(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", module+"/cmd/planec-wasm")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dep := range strings.Lines(string(out)) {
		dep = strings.TrimSpace(dep)
		for _, heavy := range []string{"html/template", "sigs.k8s.io/kustomize/", module + "/internal/agent/", module + "/internal/apply/dataplane", module + "/internal/review/play"} {
			if strings.HasPrefix(dep, heavy) {
				t.Errorf("cmd/planec-wasm imports %s: a file with the build tag !js keeps it out", dep)
			}
		}
	}
}
