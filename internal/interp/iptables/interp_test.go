package iptables_test

import (
	"flag"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var clusters = flag.Int("clusters", 100, "how many generated clusters to compare")

func interpret(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
	i, err := iptables.FromFiles(a.File, p.Node.Addresses, false)
	if err != nil {
		return nil, err
	}
	return i.Eval, nil
}

// TestAgreesWithEvaluator runs the emitted text of generated clusters.
func TestAgreesWithEvaluator(t *testing.T) {
	count := interptest.Run(t, emitter.New(backends.DefaultOptions()), interpret, 1, *clusters, 1000)
	t.Log(count)
}

func TestErrors(t *testing.T) {
	for _, text := range []string{
		"*nosuch\n",
		"-A INPUT -j DROP\n",
		"*nat\n-A PLC-X -j ACCEPT\nCOMMIT\n",
		"*nat\n-A OUTPUT -j PLC-X\nCOMMIT\n",
		"*nat\n-A OUTPUT -m string --algo bm -j ACCEPT\nCOMMIT\n",
		"*nat\n-A OUTPUT -m set --match-set none dst -j ACCEPT\nCOMMIT\n",
		"*nat\n-A OUTPUT -m comment --comment \"x -j ACCEPT\nCOMMIT\n",
		"*nat\n-A OUTPUT -p tcp -j DNAT --to-destination somewhere\nCOMMIT\n",
	} {
		if _, err := iptables.Parse(nil, []byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	for _, text := range []string{"create x\n", "add x 1.2.3.4\n", "create x hash:ip\nadd x 1.2.3\n", "create x bitmap\n", "swap a b\n", "create x hash:ip,port\nadd x 1.2.3.4\n"} {
		if _, err := iptables.ParseSets([]byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// FuzzParse wants neither a panic nor a hang, also of a packet through what was
// parsed.
func FuzzParse(f *testing.F) {
	for seed := range uint64(10) {
		c := randomcluster.New(seed)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		a, err := emitter.New(backends.DefaultOptions()).Emit(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.File("ipset.rules"), a.File("iptables.rules"))
	}
	packet := eval.Packet{Src: netip.MustParseAddr("203.0.113.7"), Dst: netip.MustParseAddr("10.96.0.10"), Protocol: ir.TCP, Port: 80, From: eval.FromOutside}
	f.Fuzz(func(t *testing.T, sets, rules []byte) {
		s, err := iptables.ParseSets(sets)
		if err != nil {
			return
		}
		r, err := iptables.Parse(s, rules)
		if err != nil {
			return
		}
		// Whatever the answer is, there must be one.
		_, _ = iptables.New(r, r, nil, true).Eval(packet)
	})
}
