package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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
	return in
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

// TestShop does with the page of examples/shop what a reviewer does.
func TestShop(t *testing.T) {
	config, _, err := nodeconfig.Load("../../../examples/shop/settings/node.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, write(t, input(t, config.Config, "../../../examples/shop")))

	// Filter.
	b.fill("#filter", "service cart")
	if got := b.texts("#objects button"); len(got) != 1 || !strings.HasPrefix(got[0], "shop/cartService") {
		t.Fatalf("filtered: %q", got)
	}
	// Mark: by mouse, and in every backend.
	b.click("#objects button")
	for backend, file := range map[string]string{"nftables": "rules.nft", "iptables": "iptables.rules", "ipvs": "ipvsadm.rules", "ebpf": "maps.txt"} {
		b.choose("#backend", backend)
		b.choose("#file", file)
		marked := strings.Join(b.texts("#rules .pinned"), "\n")
		if !strings.Contains(marked, "10.96.0.20") {
			t.Errorf("%s %s: marked is %q", backend, file, marked)
		}
		if strings.Contains(marked, "shop/payment") {
			t.Errorf("%s %s: another Service is marked: %q", backend, file, marked)
		}
	}
	if marked := strings.Join(b.texts("#ir .pinned"), "\n"); !strings.Contains(marked, `frontend "shop/cart/http/tcp/cluster-ip/10.96.0.20"`) || !strings.Contains(marked, "affinity 3600") {
		t.Errorf("in the program is marked:\n%s", marked)
	}
	// The keyboard does the same.
	b.keys(keyEscape)
	if marked := b.texts(".pinned"); len(marked) != 0 {
		t.Errorf("after Esc: %q", marked)
	}
	b.fill("#filter", "service")
	b.keys(keyDown, keyDown, keyEnter)
	if color := b.background("#objects .pinned"); strings.HasPrefix(color, "rgba(0, 0, 0, 0") || color == "" {
		t.Errorf("the pinned object's background is %q", color)
	}
	if pinned := b.texts("#objects .pinned"); len(pinned) != 1 || !strings.HasPrefix(pinned[0], "shop/catalog") {
		t.Errorf("by keyboard: %q", pinned)
	}
	// Trace a packet.
	b.fill("#from", "203.0.113.7")
	b.fill("#to", "198.51.100.10")
	b.fill("#port", "80")
	b.click("#packet button")
	if got := b.text("#verdict"); !strings.HasPrefix(got, "dnat on node-a to ") {
		t.Errorf("the verdict is %q", got)
	}
	if steps := strings.Join(b.texts("#steps li"), "\n"); !strings.Contains(steps, "frontend") || !strings.Contains(steps, "examples/shop/frontend.yaml") {
		t.Errorf("the steps are\n%s", steps)
	}
	b.fill("#to", "svc/shop/cart")
	b.fill("#port", "81")
	b.click("#packet button")
	if got := b.text("#verdict"); got != "reject on node-a" {
		t.Errorf("the verdict is %q", got)
	}
	b.fill("#to", "nonsense")
	b.click("#packet button")
	if got := b.text("#verdict"); !strings.Contains(got, "no address") {
		t.Errorf("the verdict is %q", got)
	}
}

// packet is what the page's evaluator takes.
type packet struct {
	Src, Dst, Protocol, From, Interface string
	Port                                uint16
}

// TestEvaluator compares the page's evaluator with ir/eval.
func TestEvaluator(t *testing.T) {
	b := open(t, write(t, report.Input{Objects: &objects.Set{}, Nodes: []report.Node{{Program: irtest.KitchenSink()}}}))
	compared := 0
	for seed := range uint64(40) {
		var p *ir.Program
		if seed%2 == 0 {
			c := randomcluster.New(seed)
			p, _ = compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		} else {
			rng := rand.New(rand.NewPCG(seed, 11))
			p = irtest.RandomProgram(rng)
			irtest.AddRandomPolicy(rng, p)
		}
		compared += compare(t, b, seed, p)
	}
	t.Logf("%d packets", compared)
	if compared < 10000 {
		t.Errorf("only %d packets were compared", compared)
	}
}

func compare(t *testing.T, b *browser, seed uint64, p *ir.Program) int {
	t.Helper()
	var packets []packet
	var want []string
	e := eval.New(p)
	for _, k := range interptest.Packets(seed, p, 500) {
		if k.Port == 0 {
			continue // the page asks about ports
		}
		packets = append(packets, packet{k.Src.String(), k.Dst.String(), k.Protocol.String(), k.From.String(), k.Interface, k.Port})
		want = append(want, said(e.Eval(k)))
	}
	program, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	b.run(&got, `const e = new Evaluator(JSON.parse(arguments[0]));
		return arguments[1].map((k) => {
			const r = e.evaluate({src: parseAddress(k.Src), dst: parseAddress(k.Dst), protocol: k.Protocol, port: k.Port, from: k.From, interface: k.Interface});
			const list = (l) => l.map((c) => c.address + (c.masquerade ? "m" : "") + (c.hairpin ? "h" : "")).sort().join(",");
			return [r.verdict, list(r.endpoints), list(r.denied), r.masquerade].join(" ");
		});`, string(program), packets)
	wrong := 0
	for i := range want {
		if got[i] != want[i] {
			if wrong++; wrong < 5 {
				t.Errorf("seed %d, %+v: the page says %q, ir/eval %q", seed, packets[i], got[i], want[i])
			}
		}
	}
	return len(want)
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
	masquerade := "false"
	if r.Masquerade {
		masquerade = "true"
	}
	return strings.Join([]string{r.Verdict.String(), list(r.Endpoints), list(r.Denied), masquerade}, " ")
}

// TestHostile wants names that look like markup to be text.
func TestHostile(t *testing.T) {
	page, err := os.ReadFile(write(t, input(t, objects.Config{}, "../../../golden/cases/hostile-names")))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(page, []byte("<script")); n != 3 {
		t.Errorf("%d scripts", n)
	}
	if n := bytes.Count(page, []byte("</script")); n != 3 {
		t.Errorf("%d ends of scripts", n)
	}
}
