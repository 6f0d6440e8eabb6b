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
	i, err := iptables.New(a.File, p.Node.Addresses, false)
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

// file returns rules of IPv4, and sets.
func file(sets, rules string) func(string) []byte {
	return func(name string) []byte {
		return map[string][]byte{"ipset.rules": []byte(sets), "iptables.rules": []byte(rules)}[name]
	}
}

func TestErrors(t *testing.T) {
	for _, text := range []string{
		"*nosuch\nCOMMIT\n", "*raw\nCOMMIT\n", "-A INPUT -j DROP\n", "*filter\n",
		"*filter\n:INPUT - [0:0]\nCOMMIT\n", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", "*filter\n:ACCEPT - [0:0]\nCOMMIT\n",
		"*filter\n:A - [0:0]\n-A A -j A\n-A INPUT -j A\nCOMMIT\n", "*filter\n:A - [0:0]\n:B - [0:0]\n-A A -g B\n-A B -j A\n-A INPUT -j A\nCOMMIT\n",
		"*nat\n:A - [0:0]\n-A A -j MASQUERADE\n-A OUTPUT -j A\nCOMMIT\n",
	} {
		if _, err := iptables.New(file("", text), nil, false); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	for _, text := range []string{
		"create x\n", "add x 1.2.3.4\n", "create x hash:ip\nadd x 1.2.3\n", "create x bitmap\n", "swap a b\n", "create x hash:ip,port\nadd x 1.2.3.4\n",
		"create x hash:ip counters\n", "create x hash:ip\nadd x 10.0.0.1 timeout 5\n", "create x hash:ip skbinfo\nadd x 10.0.0.1\n",
		"create x hash:ip maxelem 5\ncreate x hash:ip maxelem 6\n", "create x hash:ip\ncreate y hash:net\nswap x y\n",
	} {
		if _, err := iptables.New(file(text, ""), nil, false); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// FuzzParse wants neither a panic nor a hang, including the evaluation of a packet
// with the parsed rules.
func FuzzParse(f *testing.F) {
	for seed := range uint64(10) {
		c := randomcluster.New(seed)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		a, err := emitter.New(backends.DefaultOptions()).Emit(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.File("ipset.rules")), string(a.File("iptables.rules")))
	}
	packet := eval.Packet{Src: netip.MustParseAddr("203.0.113.7"), Dst: netip.MustParseAddr("10.96.0.10"), Protocol: ir.TCP, Port: 80, From: eval.FromOutside}
	f.Fuzz(func(t *testing.T, sets, rules string) {
		i, err := iptables.New(file(sets, rules), nil, true)
		if err != nil {
			return
		}
		// Any result is fine, but there must be one.
		_, _ = i.Eval(packet)
	})
}
