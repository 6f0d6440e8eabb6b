package cnilayout_test

import (
	"context"
	"flag"
	"slices"
	"sync"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/golden"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	soak     = flag.Bool("soak", false, "try every case on every layout with every kind of rules, but for other kernels, which try a sample")
	casesDir = flag.String("cases", "../../../golden/cases", "where the golden cases are")
)

// sample is one in so many of the cases, where not all are tried.
const sample = 12

// run makes the flows of golden cases real connections on the nodes: of the first node of a
// layout, all of them in the first kernel. Other kernels are slow: there, each is a sample,
// and further nodes are tried in one kernel.
func run(t *testing.T, nodes ...node) {
	t.Helper()
	if !isGuest() {
		t.Parallel() // most of the time it waits for dropped packets
	}
	for at, n := range nodes {
		t.Run(n.name, func(t *testing.T) {
			for k, kernel := range kernels() {
				if at > 0 && k > 0 && isGuest() {
					break
				}
				t.Run(kernel.Name, func(t *testing.T) {
					testkit.Require(t, kernel.Tools...)
					whole := *soak || at == 0 && k == 0 && !isGuest()
					var total counter
					t.Run("cases", func(t *testing.T) {
						for _, c := range cases(t, whole) {
							t.Run(c.Name, func(t *testing.T) {
								t.Parallel()
								total.add(n.serve(t, kernel, c))
							})
						}
					})
					t.Logf("%d cases, %d flows: %d passed on, %d to endpoints, %d dropped, %d rejected", total.cases, total.flows,
						total.verdicts[eval.Pass], total.verdicts[eval.DNAT], total.verdicts[eval.Drop], total.verdicts[eval.Reject])
					if total.verdicts[eval.DNAT] == 0 || total.verdicts[eval.Drop] == 0 {
						t.Error("nothing was sent to an endpoint, or dropped")
					}
				})
			}
		})
	}
}

// counter sums what parallel tests did.
type counter struct {
	sync.Mutex
	cases, flows int
	verdicts     map[eval.Verdict]int
}

func (c *counter) add(r testkit.Report) {
	c.Lock()
	defer c.Unlock()
	if c.verdicts == nil {
		c.verdicts = make(map[eval.Verdict]int)
	}
	c.cases++
	for v, n := range r.Agreed {
		c.verdicts[v] += n
		c.flows += n
	}
}

// cases returns all golden cases, or a sample.
func cases(t *testing.T, whole bool) (list []golden.Case) {
	t.Helper()
	all, err := golden.Load(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	if whole {
		return all
	}
	sampled := []string{"cluster-ip", "dual-stack", "hairpin", "masq-agent", "node-port", "policy-service"}
	if !isGuest() {
		sampled = append(sampled, "etp-local", "everything")
	}
	for i, c := range all {
		if i%sample == 0 && !isGuest() || slices.Contains(sampled, c.Name) {
			list = append(list, c)
		}
	}
	return list
}

// serve loads the rules of a case into a node, and makes its flows.
func (n node) serve(t *testing.T, k testkit.Kernel, c golden.Case) testkit.Report {
	t.Helper()
	p, o := n.compile(t, c)
	flows, load := prepared(t, k, p, o, c)
	return testkit.RunLayout(t, n.layout, p, flows, load)
}

// compile compiles a case with the settings of the node's preset.
func (n node) compile(t testing.TB, c golden.Case) (*ir.Program, backends.Options) {
	t.Helper()
	settings := given(t, c)
	s := n.system(t)
	preset := s.Preset()
	if n.detect != "" {
		preset.DetectLocal = n.detect
	}
	// What a case says of egress stays, since its flows are about that.
	preset.NonMasquerade = nil
	settings.Network(s, preset, nil)
	return compileWith(t, settings, c)
}

// given returns the settings of a case.
func given(t testing.TB, c golden.Case) nodeconfig.NodeConfig {
	t.Helper()
	path := c.Config()
	if path == "" {
		return nodeconfig.Default()
	}
	settings, _, err := nodeconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func compileWith(t testing.TB, settings nodeconfig.NodeConfig, c golden.Case) (*ir.Program, backends.Options) {
	t.Helper()
	paths, err := c.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: c.Node, Config: settings.Config})
	o := backends.DefaultOptions()
	o.MasqueradeBit = settings.MasqueradeBit
	return p, o
}

// prepared returns the flows of a case that a backend does not refuse, and what loads the
// backend's files.
func prepared(t testing.TB, k testkit.Kernel, p *ir.Program, o backends.Options, c golden.Case) ([]testkit.Flow, func(*testkit.Rig) error) {
	t.Helper()
	selected, err := registry.Select(o, k.Backend)
	if err != nil {
		t.Fatal(err)
	}
	artifact, err := selected[0].Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return claimed(selected[0], p, c), func(r *testkit.Rig) error { return k.Load(r, artifact.File) }
}

// claimed returns the flows of a case without those that the backend says it cannot do.
func claimed(b backends.Backend, p *ir.Program, c golden.Case) (flows []testkit.Flow) {
	refuses, e := proof.NewSingle(b, p).Excludes, eval.New(p)
	for _, f := range c.Flows {
		packet := f.Packet
		packet.Interface = ""
		if !refuses(packet, e.Eval(packet)) {
			flows = append(flows, testkit.Flow{From: packet.From, Src: packet.Src, Dst: packet.Dst, Protocol: packet.Protocol, Port: packet.Port})
		}
	}
	return flows
}

// byName returns a golden case.
func byName(t testing.TB, name string) golden.Case {
	t.Helper()
	all, err := golden.Load(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c golden.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no golden case %s", name)
	}
	return all[i]
}
