package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/planec/planec"

// arrows is which packages of ours each package may import, tests left out. A
// package that is not here fails the test, so that a new one is a decision.
var arrows = map[string][]string{
	"ir":                         {},
	"ir/diag":                    {"ir"},
	"ir/eval":                    {"ir"},
	"ir/failsafe":                {"ir"},
	"ir/identity":                {},
	"ir/resolve":                 {"ir", "ir/identity"},
	"compiler/objects":           {"ir", "ir/diag", "ir/identity"},
	"compiler/service":           {"compiler/objects", "ir", "ir/diag"},
	"compiler/policy":            {"compiler/objects", "compiler/policy/validate", "ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"compiler/policy/validate":   {},
	"compiler/lint":              {"compiler/objects", "compiler/policy", "ir", "ir/diag"},
	"compiler":                   {"compiler/objects", "compiler/policy", "compiler/service", "ir", "ir/diag"},
	"backends":                   {"ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"backends/nftables":          {"backends", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/xtables":           {"ir/identity"},
	"backends/xtpolicy":          {"backends/xtables", "ir", "ir/identity", "ir/resolve"},
	"backends/xtables/live":      {"backends"},
	"internal/applier":           {"backends"},
	"internal/dataplane":         {"backends", "backends/ebpf", "backends/ebpf/live", "backends/ipvs/live", "backends/nftables/live", "backends/xtables/live", "internal/applier"},
	"internal/isolate":           {"backends", "ir", "ir/failsafe"},
	"internal/poison":            {"backends", "compiler", "compiler/objects", "internal/applier", "ir", "ir/failsafe"},
	"internal/session":           {"backends", "compiler", "internal/applier", "internal/isolate", "ir", "ir/diag", "ir/failsafe"},
	"internal/conntrack":         {"ir", "ir/eval"},
	"backends/nftables/live":     {"backends", "backends/nftables"},
	"backends/ipvs/live":         {"backends", "backends/ipvs", "backends/xtables/live"},
	"internal/conformance":       {"compiler", "compiler/objects", "internal/manifest", "internal/netpath", "ir", "ir/diag", "ir/eval"},
	"backends/iptables":          {"backends", "backends/xtables", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ipvs":              {"backends", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ebpf":              {"backends", "backends/ebpf/layout", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ebpf/layout":       {},
	"backends/ebpf/live":         {"backends/ebpf", "backends/ebpf/layout"},
	"internal/uml":               {},
	"internal/interp/iptables":   {"internal/interp/fate", "ir", "ir/eval"},
	"internal/interp/fate":       {"ir/eval"},
	"internal/interp/ipvs":       {"ir", "ir/eval"},
	"internal/interp/ebpf":       {"backends/ebpf", "backends/ebpf/layout", "ir", "ir/eval"},
	"backends/registry":          {"backends", "backends/ebpf", "backends/iptables", "backends/ipvs", "backends/nftables"},
	"internal/kustomize":         {"internal/manifest"},
	"internal/manifest":          {"compiler/objects", "internal/suggest", "ir", "ir/diag"},
	"internal/synth":             {"compiler/objects", "ir", "ir/diag"},
	"internal/nodeconfig":        {"backends", "backends/ipvs", "compiler/objects", "internal/suggest", "ir", "ir/diag"},
	"internal/suggest":           {},
	"internal/suppress":          {"compiler/objects", "internal/escape", "internal/suggest", "ir", "ir/diag"},
	"internal/nodeflags":         {"internal/nodeconfig", "internal/suggest", "ir/diag"},
	"internal/compare":           {"backends", "compiler", "compiler/objects", "compiler/policy", "internal/diffreport", "internal/netpath", "ir", "ir/eval", "ir/resolve"},
	"internal/diffreport":        {"ir"},
	"internal/escape":            {"ir/diag"},
	"internal/ciformat":          {"internal/escape", "ir/diag"},
	"internal/diffwrite":         {"internal/ciformat", "internal/diffreport", "internal/escape", "ir", "ir/diag"},
	"internal/nettest":           {"internal/ciformat", "ir/diag"},
	"internal/gittree":           {},
	"internal/clustergen":        {"compiler/objects", "ir"},
	"internal/irtest":            {"ir"},
	"internal/randomcluster":     {"compiler/objects", "ir"},
	"internal/netpath":           {"compiler", "compiler/objects", "ir", "ir/eval", "ir/resolve"},
	"internal/growth":            {"internal/clustergen"},
	"internal/bench":             {"backends", "backends/nftables", "backends/registry", "compiler", "compiler/objects", "internal/applier", "internal/clustergen", "internal/dataplane", "internal/growth", "internal/manifest", "internal/session"},
	"internal/testkit":           {"ir", "ir/eval"},
	"internal/cli":               {"backends", "backends/ebpf", "backends/registry", "compiler", "compiler/lint", "compiler/objects", "compiler/policy", "internal/agentapi", "internal/applier", "internal/buildinfo", "internal/ciformat", "internal/compare", "internal/confirm", "internal/conntrack", "internal/dataplane", "internal/diffreport", "internal/diffwrite", "internal/escape", "internal/firewall", "internal/gittree", "internal/interp", "internal/isolate", "internal/kustomize", "internal/manifest", "internal/netpath", "internal/nettest", "internal/nodeflags", "internal/nodelock", "internal/report", "internal/suggest", "internal/suppress", "internal/synth", "ir", "ir/diag", "ir/eval", "ir/failsafe"},
	"internal/interp":            {"backends", "backends/ebpf", "internal/interp/ebpf", "internal/interp/ipvs", "internal/interp/iptables", "internal/interp/nftables", "ir/eval"},
	"internal/interp/nftables":   {"internal/interp/fate", "ir", "ir/eval"},
	"internal/interp/interptest": {"backends", "compiler", "internal/irtest", "internal/randomcluster", "internal/testkit", "ir", "ir/diag", "ir/eval"},
	"internal/arch":              {},
	"golden":                     {"backends", "backends/registry", "compiler", "compiler/objects", "internal/manifest", "internal/nodeconfig", "ir", "ir/diag", "ir/eval"},
	"cmd/planec":                 {"internal/cli"},
	"internal/report":            {"backends", "compiler/objects", "ir"},
	"internal/delivery":          {},
	"internal/mangen":            {"internal/agentcmd", "internal/cli"},
	"cmd/planec-agent":           {"internal/agentcmd"},
	"internal/agent":             {"backends", "compiler", "compiler/objects", "internal/applier", "internal/inbox", "internal/localport", "internal/session", "ir", "ir/diag", "ir/failsafe"},
	"internal/agentcmd":          {"backends", "backends/registry", "compiler/objects", "internal/agent", "internal/agentapi", "internal/apisource", "internal/applier", "internal/buildinfo", "internal/conntrack", "internal/dataplane", "internal/drift", "internal/filesource", "internal/firewall", "internal/inbox", "internal/listener", "internal/localaddr", "internal/localport", "internal/manifest", "internal/nodeconfig", "internal/nodeflags", "internal/nodelock", "internal/proxyhealth", "internal/proxymetrics", "internal/suggest", "internal/sysctls", "internal/takeover", "ir", "ir/diag"},
	"internal/agentapi":          {"backends", "ir/diag"},
	"internal/buildinfo":         {},
	"internal/mutants":           {},
	"internal/apisource":         {"compiler/objects", "internal/inbox", "internal/manifest", "ir", "ir/diag"},
	"internal/filesource":        {"compiler/objects", "internal/inbox", "internal/manifest", "ir", "ir/diag"},
	"internal/confirm":           {},
	"internal/nodelock":          {},
	"internal/drift":             {"backends/nftables/live"},
	"internal/inbox":             {"compiler", "compiler/objects"},
	"internal/localaddr":         {},
	"internal/listener":          {},
	"internal/localport":         {"internal/listener", "ir"},
	"internal/proxyhealth":       {"internal/listener", "ir"},
	"internal/proxymetrics":      {"internal/buildinfo", "ir/diag"},
	"internal/takeover":          {"backends/xtables/live"},
	"internal/firewall":          {"backends/nftables/live", "backends/xtables/live", "ir"},
	"internal/sysctls":           {"internal/nodeconfig"},
}

// kubernetes says which packages may import k8s.io: those that see objects.
var kubernetes = []string{"compiler", "compiler/objects", "compiler/policy", "compiler/policy/validate", "compiler/service", "internal/manifest", "internal/nodeconfig", "internal/clustergen", "internal/poison", "internal/randomcluster", "internal/bench", "internal/cli", "internal/netpath", "internal/conformance", "internal/inbox", "internal/apisource", "internal/filesource", "internal/agent", "internal/agentcmd", "internal/proxyhealth", "internal/report", "compiler/lint", "internal/synth", "internal/suppress", "internal/compare"}

// netfilter says which packages may import github.com/google/nftables: those that
// compile rules or change foreign tables, and the tests' look at the kernel.
// docs/architecture.md says what it is used for.
var netfilter = []string{"backends/nftables/live", "internal/takeover", "internal/testkit"}

// pure packages turn values into values: nothing of the machine gets in.
var pure = []string{"ir", "ir/diag", "ir/eval", "ir/resolve", "compiler", "compiler/lint", "compiler/objects", "compiler/policy", "compiler/policy/validate", "compiler/service", "backends", "backends/nftables", "backends/iptables", "backends/ipvs", "backends/xtables", "backends/xtpolicy", "backends/ebpf", "backends/ebpf/layout", "backends/registry", "internal/synth", "internal/suppress", "internal/compare", "internal/diffreport"}

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
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %s is not in the table of arrows", name)
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module+"/"); ok && !contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			if strings.HasPrefix(imp, "k8s.io/") && !contains(kubernetes, name) {
				t.Errorf("%s must not import %s: only packages that see objects may", name, imp)
			}
			if strings.HasPrefix(imp, "github.com/google/nftables") && !contains(netfilter, name) {
				t.Errorf("%s must not import %s: only packages with a reason in docs/architecture.md may", name, imp)
			}
			if contains(pure, name) && contains(impure, imp) {
				t.Errorf("%s must not import %s: it is pure", name, imp)
			}
		}
	}
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

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
