package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// input compiles manifests for all of their nodes and backends.
func input(t *testing.T, config objects.Config, paths ...string) report.Input {
	t.Helper()
	set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	cluster := compiler.Prepare(&set, config)
	in := report.Input{Objects: &set}
	for _, name := range cluster.Nodes() {
		p, _ := cluster.Program(name)
		in.Nodes = append(in.Nodes, emit(t, p))
	}
	in.Files = texts(t, paths)
	return in
}

// texts reads the manifests below paths.
func texts(t *testing.T, paths []string) (out []report.File) {
	t.Helper()
	files, err := manifest.Files(paths, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, report.File{Name: f, Text: text})
	}
	return out
}

func emit(t *testing.T, p *ir.Program) report.Node {
	t.Helper()
	n := report.Node{Program: p}
	all, err := registry.Select(backends.DefaultOptions(), registry.Names()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		a, err := b.Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		n.Artifacts = append(n.Artifacts, report.Artifact{Backend: b.Name(), Artifact: a})
	}
	return n
}

func write(t *testing.T, in report.Input) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	var page bytes.Buffer
	if err := report.Write(&page, in); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shop is the report of examples/shop.
func shop(t *testing.T) report.Input {
	t.Helper()
	config, _, err := nodeconfig.Load("../../../examples/shop/settings/node.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return input(t, config.Config, "../../../examples/shop")
}

// TestShop does with the page of examples/shop what a reviewer does.
func TestShop(t *testing.T) {
	inBrowser(t, "shop.test.js", map[string]string{"SHOP": write(t, shop(t))})
}

// policies is the report of examples/policies; without is a name that no policy of it has.
func policies(t *testing.T, without string) report.Input {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"cluster.yaml", "policies.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../../examples/policies", name))
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, doc := range strings.Split(string(text), "---\n") {
			if without == "" || !strings.Contains(doc, "name: "+without) {
				kept = append(kept, doc)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(kept, "---\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := input(t, objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}, dir)
	in.Root = filepath.ToSlash(dir) + "/"
	return in
}

// reaches is a map of examples/policies; outside gets in without the policy.
func reaches(in report.Input, change string) *report.Map {
	deny := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "default-deny", File: "policies.yaml", Line: 2}
	m := &report.Map{Workloads: []report.Workload{
		{Name: "outside", Outside: true},
		{Name: "shop/web", Namespace: "shop", Pods: 1},
		{Name: "shop/db", Namespace: "shop", Pods: 1},
		{Name: "monitoring/prometheus", Namespace: "monitoring"},
	}}
	if len(in.Objects.NetworkPolicies) < 2 {
		m.Edges = append(m.Edges, report.Edge{From: 0, To: 1, Ports: "every port", Change: change, Because: []report.Because{{Text: "NetworkPolicy shop/default-deny was removed", Origin: deny, Old: true}}})
	}
	m.Edges = append(m.Edges, report.Edge{From: 1, To: 2, Ports: "5432/tcp"})
	if change != "" {
		m.Edges[1].Change = "closed"
		m.Edges = append(m.Edges, report.Edge{From: 3, To: 1, Ports: "9100/tcp"})
	}
	return m
}

// TestChangePage looks at what a change opens.
func TestChangePage(t *testing.T) {
	before, in := policies(t, ""), policies(t, "default-deny")
	gone := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "default-deny", File: before.Root + "policies.yaml", Line: 2}
	in.Before, in.Map = &before, reaches(in, "opened")
	in.Findings = []report.Finding{{Kind: "opened", Text: "shop/web can now be reached", Reasons: []report.Reason{{Origin: gone, Old: true}}}}
	in.Changes = []report.Change{{Origin: gone, Word: "deleted"}}
	hostile := input(t, objects.Config{}, "../../../golden/cases/hostile-names")
	hostile.Files = append(hostile.Files, report.File{Name: "</script><img src=x onerror=owned=1>", Text: []byte("</script><script>owned=1</script>: <img src=x onerror=owned=1>\n<!-- <b>")})
	many := policies(t, "")
	many.Map = crowd()
	inBrowser(t, "change.test.js", map[string]string{"CHANGE": write(t, in), "HOSTILE": write(t, hostile), "MANY": write(t, many)})
}

// crowd is a map of 100 workloads in ten namespaces.
func crowd() *report.Map {
	m := &report.Map{}
	for i := range 100 {
		namespace := fmt.Sprintf("team-%d", i%10)
		m.Workloads = append(m.Workloads, report.Workload{Name: fmt.Sprintf("%s/app-%d", namespace, i), Namespace: namespace})
		m.Edges = append(m.Edges, report.Edge{From: i, To: (i * 7) % 100, Ports: "80/tcp"})
	}
	return m
}

// TestEditing types into the page with an engine that has two answers.
func TestEditing(t *testing.T) {
	pages := map[string]string{"SHELL": filepath.Join(t.TempDir(), "play.html")}
	for name, without := range map[string]string{"OPEN": "default-deny", "CLOSED": ""} {
		in := policies(t, without)
		in.Map = reaches(in, "")
		document, err := report.Document(in)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = filepath.Join(t.TempDir(), "document.json")
		if err := os.WriteFile(pages[name], document, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var shell bytes.Buffer
	if err := (report.Shell{}).Write(&shell); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pages["SHELL"], shell.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	inBrowser(t, "edit.test.js", pages)
}

// packet is what the page's evaluator takes.
type packet struct {
	Src, Dst, Protocol, From, Interface string
	Port, SourcePort                    uint16
	Type, Code                          uint8
}

// answers are packets for one program, with what ir/eval says of each.
type answers struct {
	Seed    uint64      `json:"seed"`
	Program *ir.Program `json:"program"`
	Packets []packet    `json:"packets"`
	Want    []string    `json:"want"`
}

// TestEvaluator compares the page's evaluator with ir/eval.
func TestEvaluator(t *testing.T) {
	var cases []answers
	packets := 0
	for seed := range uint64(40) {
		var p *ir.Program
		if seed%2 == 0 {
			c := randomcluster.New(seed)
			p, _ = compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		} else {
			rng := rand.New(rand.NewPCG(seed, 11))
			p = irtest.RandomProgram(rng)
			irtest.AddRandomDialects(rng, p)
		}
		cases = append(cases, answersOf(seed, p))
		packets += len(cases[seed].Packets)
	}
	if packets < 10000 {
		t.Errorf("only %d packets are compared", packets)
	}
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cases.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	page := write(t, report.Input{Objects: &objects.Set{}, Nodes: []report.Node{{Program: irtest.KitchenSink()}}})
	inBrowser(t, "eval.test.js", map[string]string{"CASES": path, "ANY": page})
	t.Logf("%d packets", packets)
}

func answersOf(seed uint64, p *ir.Program) answers {
	a := answers{Seed: seed, Program: p}
	e := eval.New(p)
	for _, k := range interptest.Packets(seed, p, 500) {
		a.Packets = append(a.Packets, packet{k.Src.String(), k.Dst.String(), k.Protocol.String(), k.From.String(), k.Interface, k.Port, k.SourcePort, k.Type, k.Code})
		a.Want = append(a.Want, said(e.Eval(k)))
	}
	return a
}

// said is a result as the script writes it.
func said(r eval.Result) string {
	list := func(choices []eval.Choice) string {
		var out []string
		for _, c := range choices {
			s := c.Address.String()
			if c.Masquerade {
				s += "m"
			}
			if c.Hairpin {
				s += "h"
			}
			out = append(out, s)
		}
		slices.Sort(out)
		return strings.Join(out, ",")
	}
	logs := make([]string, 0, len(r.Logs))
	for _, l := range r.Logs {
		logs = append(logs, strconv.Quote(l))
	}
	slices.Sort(logs)
	masquerade := "false"
	if r.Masquerade {
		masquerade = "true"
	}
	return strings.Join([]string{r.Verdict.String(), list(r.Endpoints), list(r.Denied), masquerade, strings.Join(logs, ",")}, " ")
}

// TestHostile wants names that look like markup to be text.
func TestHostile(t *testing.T) {
	page, err := os.ReadFile(write(t, input(t, objects.Config{}, "../../../golden/cases/hostile-names")))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(page, []byte("<script")); n != 2 {
		t.Errorf("%d scripts", n)
	}
	if n := bytes.Count(page, []byte("</script")); n != 2 {
		t.Errorf("%d ends of scripts", n)
	}
}
