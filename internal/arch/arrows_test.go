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
	"ir":                             {},
	"ir/diag":                        {"ir"},
	"ir/eval":                        {"ir"},
	"ir/failsafe":                    {"ir"},
	"ir/identity":                    {},
	"ir/resolve":                     {"ir", "ir/identity"},
	"compiler/objects":               {"ir", "ir/diag", "ir/identity"},
	"compiler/service":               {"compiler/objects", "ir", "ir/diag"},
	"compiler/policy":                {"compiler/objects", "compiler/policy/validate", "ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"compiler/policy/validate":       {},
	"compiler/lint":                  {"compiler/objects", "compiler/policy", "ir", "ir/diag"},
	"compiler":                       {"compiler/objects", "compiler/policy", "compiler/service", "ir", "ir/diag"},
	"backends":                       {"ir", "ir/diag", "ir/failsafe", "ir/identity"},
	"backends/nftables":              {"backends", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/xtables":               {"ir", "ir/identity"},
	"backends/xtpolicy":              {"backends/xtables", "ir", "ir/identity", "ir/resolve"},
	"backends/xtables/live":          {"backends", "backends/xtables", "internal/text/ipset", "internal/text/iptables", "internal/text/quoted"},
	"internal/apply/applier":         {"backends"},
	"internal/apply/dataplane":       {"backends", "backends/ebpf", "backends/ebpf/live", "backends/ipvs/live", "backends/nftables/live", "backends/xtables/live", "internal/apply/applier"},
	"internal/apply/isolate":         {"backends", "ir", "ir/failsafe"},
	"internal/testing/poison":        {"backends", "compiler", "compiler/objects", "internal/apply/applier", "ir", "ir/failsafe"},
	"internal/apply/session":         {"backends", "compiler", "internal/apply/applier", "internal/apply/isolate", "ir", "ir/diag", "ir/failsafe"},
	"internal/agent/conntrack":       {"ir", "ir/eval"},
	"backends/nftables/live":         {"backends", "backends/nftables"},
	"backends/ipvs/live":             {"backends", "backends/ipvs", "backends/xtables", "backends/xtables/live", "internal/text/ipbatch", "internal/text/ipset", "internal/text/ipvsadm", "internal/text/sysctl", "ir"},
	"internal/testing/conformance":   {"compiler", "compiler/objects", "internal/input/manifest", "internal/review/netpath", "ir", "ir/diag", "ir/eval"},
	"backends/iptables":              {"backends", "backends/xtables", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ipvs":                  {"backends", "backends/xtables", "backends/xtpolicy", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ebpf":                  {"backends", "backends/ebpf/layout", "ir", "ir/diag", "ir/failsafe", "ir/identity", "ir/resolve"},
	"backends/ebpf/layout":           {},
	"backends/ebpf/live":             {"backends/ebpf", "backends/ebpf/layout"},
	"internal/testing/uml":           {},
	"internal/text/ipbatch":          {"internal/text/quoted"},
	"internal/text/ipset":            {"internal/text/quoted"},
	"internal/text/iptables":         {"internal/text/quoted"},
	"internal/text/ipvsadm":          {"internal/text/quoted"},
	"internal/text/quoted":           {},
	"internal/text/sysctl":           {},
	"internal/interp/iptables":       {"internal/interp/fate", "internal/text/ipset", "internal/text/iptables", "ir", "ir/eval"},
	"internal/interp/fate":           {"ir/eval"},
	"internal/interp/ipvs":           {"internal/interp/iptables", "internal/text/ipbatch", "internal/text/ipvsadm", "internal/text/sysctl", "ir", "ir/eval"},
	"internal/interp/ebpf":           {"backends/ebpf", "backends/ebpf/layout", "ir", "ir/eval"},
	"backends/registry":              {"backends", "backends/ebpf", "backends/iptables", "backends/ipvs", "backends/nftables"},
	"internal/input/kustomize":       {"internal/input/manifest"},
	"internal/input/manifest":        {"compiler/objects", "internal/base/suggest", "ir", "ir/diag"},
	"internal/input/synth":           {"compiler/objects", "ir", "ir/diag"},
	"internal/input/nodeconfig":      {"backends", "backends/ipvs", "compiler/objects", "internal/base/suggest", "ir", "ir/diag"},
	"internal/base/suggest":          {},
	"internal/review/suppress":       {"compiler/objects", "internal/base/escape", "internal/base/suggest", "ir", "ir/diag"},
	"internal/input/nodeflags":       {"internal/input/nodeconfig", "internal/base/suggest", "ir/diag"},
	"internal/review/compare":        {"backends", "compiler", "compiler/objects", "compiler/policy", "internal/review/diffreport", "internal/review/netpath", "ir", "ir/eval", "ir/resolve"},
	"internal/review/diffreport":     {"ir"},
	"internal/base/escape":           {"ir/diag"},
	"internal/review/ciformat":       {"internal/base/escape", "ir/diag"},
	"internal/review/diffwrite":      {"internal/review/ciformat", "internal/review/diffreport", "internal/base/escape", "ir", "ir/diag"},
	"internal/review/nettest":        {"internal/review/ciformat", "ir/diag"},
	"internal/input/gittree":         {},
	"internal/testing/clustergen":    {"compiler/objects", "ir"},
	"internal/testing/irtest":        {"ir"},
	"internal/testing/randomcluster": {"compiler/objects", "ir"},
	"internal/review/netpath":        {"compiler", "compiler/objects", "ir", "ir/eval", "ir/resolve"},
	"internal/testing/growth":        {"internal/testing/clustergen"},
	"internal/testing/bench":         {"backends", "backends/nftables", "backends/registry", "compiler", "compiler/objects", "internal/apply/applier", "internal/testing/clustergen", "internal/apply/dataplane", "internal/testing/growth", "internal/input/manifest", "internal/apply/session"},
	"internal/testing/testkit":       {"ir", "ir/eval"},
	"internal/cli":                   {"backends", "backends/ebpf", "backends/registry", "compiler", "compiler/lint", "compiler/objects", "compiler/policy", "internal/agent/api", "internal/apply/applier", "internal/base/buildinfo", "internal/review/ciformat", "internal/review/compare", "internal/apply/confirm", "internal/agent/conntrack", "internal/apply/dataplane", "internal/review/diffreport", "internal/review/diffwrite", "internal/base/escape", "internal/agent/firewall", "internal/input/gittree", "internal/interp", "internal/apply/isolate", "internal/input/kustomize", "internal/input/manifest", "internal/review/netpath", "internal/review/nettest", "internal/input/nodeflags", "internal/apply/nodelock", "internal/review/report", "internal/base/suggest", "internal/review/suppress", "internal/input/synth", "ir", "ir/diag", "ir/eval", "ir/failsafe"},
	"internal/interp":                {"backends", "backends/ebpf", "internal/interp/ebpf", "internal/interp/ipvs", "internal/interp/iptables", "internal/interp/nftables", "ir/eval"},
	"internal/interp/nftables":       {"internal/interp/fate", "ir", "ir/eval"},
	"internal/testing/interptest":    {"backends", "compiler", "internal/testing/irtest", "internal/testing/randomcluster", "internal/testing/testkit", "ir", "ir/diag", "ir/eval"},
	"internal/arch":                  {},
	"golden":                         {"backends", "backends/registry", "compiler", "compiler/objects", "internal/input/manifest", "internal/input/nodeconfig", "ir", "ir/diag", "ir/eval"},
	"cmd/planec":                     {"internal/cli"},
	"internal/review/report":         {"backends", "compiler/objects", "ir"},
	"internal/testing/delivery":      {},
	"internal/cli/mangen":            {"internal/agent/cmd", "internal/cli"},
	"cmd/planec-agent":               {"internal/agent/cmd"},
	"internal/agent/loop":            {"backends", "compiler", "compiler/objects", "internal/apply/applier", "internal/input/inbox", "internal/agent/localport", "internal/apply/session", "ir", "ir/diag", "ir/failsafe"},
	"internal/agent/cmd":             {"backends", "backends/registry", "compiler/objects", "internal/agent/loop", "internal/agent/api", "internal/input/apisource", "internal/apply/applier", "internal/base/buildinfo", "internal/agent/conntrack", "internal/apply/dataplane", "internal/agent/drift", "internal/input/filesource", "internal/agent/firewall", "internal/input/inbox", "internal/agent/listener", "internal/agent/localaddr", "internal/agent/localport", "internal/input/manifest", "internal/input/nodeconfig", "internal/input/nodeflags", "internal/apply/nodelock", "internal/agent/health", "internal/agent/metrics", "internal/base/suggest", "internal/agent/sysctls", "internal/agent/takeover", "ir", "ir/diag"},
	"internal/agent/api":             {"backends", "ir/diag"},
	"internal/base/buildinfo":        {},
	"internal/testing/mutants":       {},
	"internal/input/apisource":       {"compiler/objects", "internal/input/inbox", "internal/input/manifest", "ir", "ir/diag"},
	"internal/input/filesource":      {"compiler/objects", "internal/input/inbox", "internal/input/manifest", "ir", "ir/diag"},
	"internal/apply/confirm":         {},
	"internal/apply/nodelock":        {},
	"internal/agent/drift":           {"backends/nftables/live", "backends/xtables", "backends/xtables/live"},
	"internal/input/inbox":           {"compiler", "compiler/objects"},
	"internal/agent/localaddr":       {},
	"internal/agent/listener":        {},
	"internal/agent/localport":       {"internal/agent/listener", "ir"},
	"internal/agent/health":          {"internal/agent/listener", "ir"},
	"internal/agent/metrics":         {"internal/base/buildinfo", "ir/diag"},
	"internal/agent/takeover":        {"backends/xtables/live", "internal/text/iptables"},
	"internal/agent/firewall":        {"backends/nftables/live", "backends/xtables/live", "internal/text/iptables", "ir"},
	"internal/agent/sysctls":         {"internal/input/nodeconfig"},
}

// kubernetes says which packages may import k8s.io: those that see objects.
var kubernetes = []string{"compiler", "compiler/objects", "compiler/policy", "compiler/policy/validate", "compiler/service", "internal/input/manifest", "internal/input/nodeconfig", "internal/testing/clustergen", "internal/testing/poison", "internal/testing/randomcluster", "internal/testing/bench", "internal/cli", "internal/review/netpath", "internal/testing/conformance", "internal/input/inbox", "internal/input/apisource", "internal/input/filesource", "internal/agent/loop", "internal/agent/cmd", "internal/agent/health", "internal/review/report", "compiler/lint", "internal/input/synth", "internal/review/suppress", "internal/review/compare"}

// netfilter says which packages may import github.com/google/nftables: those that
// compile rules or change foreign tables, and the tests' look at the kernel.
// docs/architecture.md says what it is used for.
var netfilter = []string{"backends/nftables/live", "internal/agent/takeover", "internal/testing/testkit"}

// pure packages turn values into values: nothing of the machine gets in.
var pure = []string{"ir", "ir/diag", "ir/eval", "ir/resolve", "compiler", "compiler/lint", "compiler/objects", "compiler/policy", "compiler/policy/validate", "compiler/service", "backends", "backends/nftables", "backends/iptables", "backends/ipvs", "backends/xtables", "backends/xtpolicy", "backends/ebpf", "backends/ebpf/layout", "backends/registry", "internal/input/synth", "internal/review/suppress", "internal/review/compare", "internal/review/diffreport"}

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
