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

// TestAgreesWithPolicies runs the text of random programs with policies.
func TestAgreesWithPolicies(t *testing.T) {
	count := interptest.RunPolicies(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
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

func TestErrors(t *testing.T) {
	for _, text := range []string{
		"flush ruleset\n",
		"table ip planec {\n",
		"table ip planec {\n\tchain a {\n\t\tgoto b\n\t}\n}\n",
		"table ip planec {\n\tchain a {\n\t\tip ttl 1 drop\n\t}\n}\n",
		"table ip planec {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3\n\t\t}\n\t}\n}\n",
		"table ip planec {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3.4,\n\t\t\t1.2.3.4\n\t\t}\n\t}\n}\n",
		networks("10.0.0.0/8 : 1:2, 10.0.0.9-11.0.0.0 : 1:3"),
		networks("10.0.0.1/8 : 1:2"),
		networks("10.0.0.2-10.0.0.1 : 1:2"),
		networks("fd00::/8 : 1:2"),
		networks("10.0.0.0/8 : 1"),
		rule("tcp dport 65536 accept"),
		rule("tcp dport { 80, 22 } accept"),
		rule("tcp dport { 80, 80-90 } accept"),
		rule("tcp dport { 80 accept"),
		rule("tcp sport 80 accept"),
		rule("icmp dport 80 accept"),
		rule("meta l4proto esp accept"),
		rule("icmpv6 type 256 accept"),
		rule("icmpv6 type nd-redirect accept"),
		rule("ct state established accept"),
		rule("meta priority set 1:2:3"),
		rule("meta priority set 5"),
		"table inet planec {\n}\n",
	} {
		if _, err := nftables.Parse([]byte(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// networks is a table with a map of ranges.
func networks(elements string) string {
	return "table ip planec {\n\tmap networks {\n\t\ttype ipv4_addr : classid\n\t\tflags interval\n\t\telements = {\n" +
		strings.ReplaceAll(elements, ", ", ",\n") + "\n\t\t}\n\t}\n}\n"
}

// rule is a table with one rule.
func rule(text string) string {
	return "table ip planec {\n\tchain a {\n\t\t" + text + "\n\t}\n}\n"
}

// TestNothingWrong shows that the rules of TestErrors are valid without the errors.
func TestNothingWrong(t *testing.T) {
	for _, text := range []string{
		networks("10.0.0.0/8 : 1:2, 11.0.0.0-11.0.0.0 : root, 12.0.0.1 : none"),
		rule("tcp dport { 22, 80-90 } accept"),
		rule("udp dport 0-65534 drop"),
		rule("meta l4proto sctp reject"),
		rule("meta priority set 1:2"),
		rule("meta priority set root"),
		rule("icmpv6 type 133-137 accept"),
		rule("ct state established,related accept"),
	} {
		if _, err := nftables.Parse([]byte(text)); err != nil {
			t.Errorf("%v in %q", err, text)
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
