package conformance

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir/eval"
)

var dialectCases = flag.Int("dialect-cases", 20, "how many cases of each dialect to try in real kernels, at most")

// rowsOfCase is how many connections of a case are tried on a node.
const rowsOfCase = 60

// TestDialectKernel tries a sample of the dialects' cases with real connections: those of
// the node with the most pods, in a namespace for it, with its rules.
func TestDialectKernel(t *testing.T) {
	if *data == "" {
		t.Skip("minutes of connections: name the tables with -data, or use make conformance")
	}
	cases := dialectSample(t, *dialectCases)
	kernels := testkit.Kernels()
	if uml.Inside() {
		kernels = []testkit.Kernel{testkit.IPVS()}
	}
	for _, k := range kernels {
		t.Run(k.Name, func(t *testing.T) {
			testkit.Require(t, k.Tools...)
			selected, err := registry.Select(backends.DefaultOptions(), k.Backend)
			if err != nil {
				t.Fatal(err)
			}
			for i := range cases {
				t.Run(filepath.Base(filepath.Dir(cases[i].dir))+fmt.Sprintf("-%d", cases[i].Case), func(t *testing.T) {
					t.Parallel()
					tryCase(t, &cases[i], k, selected[0])
				})
			}
		})
	}
}

// dialectSample returns cases of each table that planec does not answer in another way on
// purpose, n of each at most.
func dialectSample(t *testing.T, n int) []dialectCase {
	t.Helper()
	var cases []dialectCase
	for _, table := range []string{"ciliumnetworkpolicy", "caliconetworkpolicy"} {
		all, err := loadDialect(filepath.Join(dataDir(t), table))
		if err != nil {
			t.Fatal(err)
		}
		all = slices.DeleteFunc(all, func(c dialectCase) bool {
			return slices.ContainsFunc(c.Tags, func(tag string) bool { return slices.Contains(differs, tag) })
		})
		cases = append(cases, sample(all, n)...)
	}
	return cases
}

func tryCase(t *testing.T, c *dialectCase, k testkit.Kernel, b backends.Backend) {
	t.Helper()
	set, err := c.objects()
	if err != nil {
		t.Fatal(err)
	}
	node := fullest(&set)
	program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: node, Config: objects.Config{}})
	artifact, err := b.Emit(program)
	if err != nil {
		t.Fatal(err)
	}
	ends, e := endsOf(&set, c.strangers.remote), eval.New(program)
	var flows []testkit.Flow
	for _, row := range mixed(c.rowsOf(ends, node)) {
		f := row.flow
		f.SourcePort = uint16(sourcePort + len(flows))
		if got := e.Eval(f.Packet()).Verdict == eval.Pass; got != (row.want == "allowed") {
			t.Fatalf("%v: passes %v, want %s", f, got, row.want)
		}
		flows = append(flows, f)
	}
	testkit.RunProgram(t, program, flows, func(r *testkit.Rig) error { return k.Load(r, artifact.File) })
}

// mixed returns a sample in which refused rows have the half, if there are so many: most
// rows are of pods that no policy selects.
func mixed(rows []flowRow) []flowRow {
	refused := slices.DeleteFunc(slices.Clone(rows), func(r flowRow) bool { return r.want == "allowed" })
	allowed := slices.DeleteFunc(rows, func(r flowRow) bool { return r.want != "allowed" })
	return append(sample(refused, rowsOfCase/2), sample(allowed, rowsOfCase/2)...)
}

// sample returns n evenly distributed items.
func sample[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}

// fullest returns the node with the most pods, the first by name of several.
func fullest(set *objects.Set) string {
	pods := make(map[string]int)
	for _, p := range set.Pods {
		if !p.Object.Spec.HostNetwork {
			pods[p.Object.Spec.NodeName]++
		}
	}
	best := ""
	for _, n := range set.Nodes {
		name := n.Object.Name
		if best == "" || pods[name] > pods[best] || pods[name] == pods[best] && name < best {
			best = name
		}
	}
	return best
}

// flowRow is a row as one node sees it, with what it has to say.
type flowRow struct {
	flow testkit.Flow
	want string
}

// rowsOf returns the rows that begin or end at a pod of the node. ICMP errors and answers,
// which conntrack does not take for the first packet of anything, are left out.
func (c *dialectCase) rowsOf(ends dialectEnds, node string) []flowRow {
	var out []flowRow
	for i := range c.rows {
		r := &c.rows[i]
		if c.ofUnseen(r) {
			continue
		}
		from, err1 := ends.find(r.from, r.family())
		to, err2 := ends.find(r.to, r.family())
		if err1 != nil || err2 != nil {
			continue
		}
		f := testkit.Flow{From: eval.FromOutside, Src: from.addr, Dst: to.addr, Protocol: r.protocol, Port: r.port}
		if r.protocol.HasTypes() {
			f.Port, f.Type = 0, uint8(r.port)
		}
		if want := r.seenBy(node, from, to, &f); want != "" && !f.Untracked() {
			out = append(out, flowRow{f, want})
		}
	}
	return out
}

// seenBy returns what the node has to say of a row, or "" if it is not its to say, and sets
// where the packet enters the node.
func (r *dialectRow) seenBy(node string, from, to end, f *testkit.Flow) string {
	sends, gets := from.node == node, to.node == node
	switch {
	case sends && from.pod:
		f.From = eval.FromPod
	case sends:
		f.From = eval.FromNode
	}
	switch {
	case from.pod && sends && gets:
		return r.combined
	case from.pod && sends:
		return r.egress
	case to.pod && gets:
		return r.ingress
	}
	return ""
}
