package nftables_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/interp/nftables"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 100, "how many generated clusters to compare")
	policies = flag.Int("policies", 300, "how many random programs with policies to compare")
)

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

// TestAgreesUntracked runs the text beside programs of sockets, which leaves connections
// between pods untracked.
func TestAgreesUntracked(t *testing.T) {
	o := backends.DefaultOptions()
	o.UntrackedPods = true
	left := 0
	count := interptest.Run(t, emitter.Beside(o), func(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		left += strings.Count(string(a.Files[0].Data), "ct state untracked accept")
		return interpret(p, a)
	}, 1, *clusters, 1000)
	if left == 0 {
		t.Error("no text leaves a connection untracked")
	}
	t.Log(count, left)
}

// TestAgreesWithPolicies runs the text of random programs with policies.
func TestAgreesWithPolicies(t *testing.T) {
	count := interptest.RunPolicies(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
	t.Log(count)
}

// TestAgreesWithDialects runs the text of random programs with policies that only other
// dialects than Kubernetes' can express.
func TestAgreesWithDialects(t *testing.T) {
	count := interptest.RunDialects(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
	t.Log(count)
}

// TestNodeAlwaysReachesItsPods sends forwarded packets with the node's own
// addresses to pods, which random packets do not cover.
func TestNodeAlwaysReachesItsPods(t *testing.T) {
	passed := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 23))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomPolicy(rng, p)
		var packets []eval.Packet
		for _, profile := range p.Policy.Profiles {
			for _, own := range p.Node.Addresses {
				to := profile.Pods[0].Addresses[0]
				if own.Is4() == to.Is4() {
					packets = append(packets, eval.Packet{Src: own, Dst: to, Protocol: ir.TCP, Port: 7, From: eval.FromOutside, Interface: "uplink0"})
				}
			}
		}
		passed += interptest.Program(t, "node", p, emitter.New(backends.DefaultOptions()), interpret, packets, len(packets)).Packets
	}
	if passed == 0 {
		t.Error("no packet")
	}
}

// TestErrors lists texts whose parts do not fit together; package nft has those that
// nothing can be read from.
func TestErrors(t *testing.T) {
	const begin = "add table ip planec\ndelete table ip planec\nadd table ip6 planec\ndelete table ip6 planec\ntable ip planec {\n"
	set := func(declaration, elements string) string {
		return begin + "\tmap s {\n\t\t" + declaration + "\n\t\telements = {\n\t\t\t" + strings.ReplaceAll(elements, ", ", ",\n\t\t\t") + "\n\t\t}\n\t}\n\n\tchain a {\n\t\taccept\n\t}\n}\n"
	}
	const ranges, verdicts = "type ipv4_addr : classid\n\t\tflags interval", "type ipv4_addr : verdict"
	for _, text := range []string{
		set(ranges, "10.0.0.0/8 : 1:2, 11.0.0.0-11.0.0.0 : root, 12.0.0.1 : none"),
		set(verdicts, "1.2.3.4 : goto a, 1.2.3.5 : goto a"),
	} {
		if _, err := nftables.Parse([]byte(text)); err != nil {
			t.Errorf("%v in %q", err, text)
		}
	}
	for _, text := range []string{
		"flush ruleset\n",
		set(ranges, "10.0.0.0/8 : 1:2, 10.0.0.9-11.0.0.0 : 1:3"),
		set(ranges, "10.0.0.1/8 : 1:2"),
		set(verdicts, "1.2.3.4 : drop, 1.2.3.4 : accept"),
		set(verdicts, "1.2.3.4 : goto b"),
		begin + "\tchain a {\n\t\tgoto b\n\t}\n}\n",
		begin + "\tchain a {\n\t\tip ttl 1 drop\n\t}\n}\n",
	} {
		if _, err := nftables.Parse([]byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// FuzzParse wants neither a panic nor a hang, including the evaluation of packets
// with the parsed rules.
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
	for seed := range uint64(5) {
		p := irtest.RandomProgram(rand.New(rand.NewPCG(seed, 5)))
		irtest.AddRandomPolicy(rand.New(rand.NewPCG(seed, 6)), p)
		a, err := emitter.New(backends.DefaultOptions()).Emit(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
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
		// Any result is fine, but there must be one.
		_, _ = nftables.New(r, nil, true).Eval(packet)
	})
}
