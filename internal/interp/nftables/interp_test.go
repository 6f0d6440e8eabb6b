package nftables_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/interp/interptest"
	"github.com/planec/planec/internal/interp/nftables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var clusters = flag.Int("clusters", 100, "how many generated clusters to compare")

func interpret(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
	r, err := nftables.Parse(a.Files[0].Data)
	if err != nil {
		return nil, err
	}
	return nftables.New(r, p.Node.Addresses, false).Eval, nil
}

// TestAgreesWithEvaluator runs the emitted text of generated clusters.
func TestAgreesWithEvaluator(t *testing.T) {
	count := interptest.Run(t, emitter.New(backends.DefaultOptions()), interpret, 1, *clusters, 1000)
	t.Log(count)
}

func TestErrors(t *testing.T) {
	for _, text := range []string{
		"flush ruleset\n",
		"table ip planec {\n",
		"table ip planec {\n\tchain a {\n\t\tgoto b\n\t}\n}\n",
		"table ip planec {\n\tchain a {\n\t\tip ttl 1 drop\n\t}\n}\n",
		"table ip planec {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3\n\t\t}\n\t}\n}\n",
		"table ip planec {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3.4,\n\t\t\t1.2.3.4\n\t\t}\n\t}\n}\n",
	} {
		if _, err := nftables.Parse([]byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// FuzzParse wants neither a panic nor a hang, also of the packets through what
// was parsed.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../../golden/cases/*/nftables/rules.nft")
	if err != nil || len(files) == 0 {
		f.Fatalf("no goldens: %v", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	packet := eval.Packet{Protocol: ir.TCP, Port: 80, From: eval.FromOutside}
	if err := packet.Src.UnmarshalText([]byte("203.0.113.7")); err != nil {
		f.Fatal(err)
	}
	if err := packet.Dst.UnmarshalText([]byte("10.96.0.10")); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := nftables.Parse(text)
		if err != nil {
			return
		}
		// Whatever the answer is, there must be one.
		_, _ = nftables.New(r, nil, true).Eval(packet)
	})
}
