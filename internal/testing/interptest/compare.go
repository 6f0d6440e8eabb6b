package interptest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Interpret returns an interpreter of a backend's files.
type Interpret func(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error)

// Count says how much was compared. Refused counts packets that the backend's Check
// reports as not expressible or as treated differently; these are not compared.
type Count struct{ Programs, Packets, Refused, Disagreements int } // sums over all programs

// String returns one line for messages.
func (c Count) String() string {
	return fmt.Sprintf("%d programs, %d packets, %d refused by Check, %d disagreements", c.Programs, c.Packets, c.Refused, c.Disagreements)
}

// Add adds counts.
func (c *Count) Add(d Count) {
	c.Programs += d.Programs
	c.Packets += d.Packets
	c.Refused += d.Refused
	c.Disagreements += d.Disagreements
}

// Run compares random clusters, starting with the seed, with the given number of packets
// each. A disagreement is a test error that names the seed and the evaluator's steps.
func Run(t testing.TB, b backends.Backend, interpret Interpret, seed uint64, clusters, packets int) Count {
	t.Helper()
	return run(t, "seed %d", b, interpret, seed, clusters, packets, func(seed uint64) *ir.Program {
		c := randomcluster.New(seed)
		program, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		return program
	})
}

// RunPolicies compares random programs with random policies, in combinations that
// the compiler does not produce.
func RunPolicies(t testing.TB, b backends.Backend, interpret Interpret, seed uint64, programs, packets int) Count {
	t.Helper()
	return run(t, "policy seed %d", b, interpret, seed, programs, packets, func(seed uint64) *ir.Program {
		rng := rand.New(rand.NewPCG(seed, 11))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomPolicy(rng, p)
		return p
	})
}

// RunDialects is RunPolicies with what only other dialects than Kubernetes' have, and
// with packets that it tells apart.
func RunDialects(t testing.TB, b backends.Backend, interpret Interpret, seed uint64, programs, packets int) Count {
	t.Helper()
	return run(t, "dialect seed %d", b, interpret, seed, programs, packets, func(seed uint64) *ir.Program {
		rng := rand.New(rand.NewPCG(seed, 13))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		return p
	})
}

// run compares the programs of n seeds; name is the format of a program's name.
func run(t testing.TB, name string, b backends.Backend, interpret Interpret, seed uint64, n, packets int, program func(seed uint64) *ir.Program) Count {
	t.Helper()
	var count Count
	for s := seed; s < seed+uint64(n); s++ {
		p := program(s)
		// Make more packets than needed, because some may be refused.
		count.Add(Program(t, fmt.Sprintf(name, s), p, b, interpret, Packets(s, p, packets*3/2), packets))
		if count.Disagreements > 20 {
			t.Fatalf("too many disagreements, stopping at seed %d", s)
		}
	}
	return count
}

// Program compares one program on packets that are not refused, up to limit.
func Program(t testing.TB, name string, p *ir.Program, b backends.Backend, interpret Interpret, packets []eval.Packet, limit int) Count {
	t.Helper()
	artifact, err := b.Emit(p)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	run, err := interpret(p, artifact)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	compare := proof.NewSingle(b, p)
	count := Count{Programs: 1}
	e := eval.New(p)
	for i, packet := range packets {
		if count.Packets == limit {
			break
		}
		// Segments in the middle of a connection are compared too.
		packet.Midstream = i%8 == 0 && packet.Protocol == ir.TCP && len(p.Policy.Profiles) > 0
		want := e.Eval(packet)
		if compare.Excludes(packet, want) {
			count.Refused++
			continue
		}
		count.Packets++
		got, err := run(packet)
		reason := fmt.Sprint(err)
		if err == nil {
			reason = compare.Differs(packet, want, got)
		}
		if reason != "" {
			count.Disagreements++
			t.Errorf("%s: %s: %v: %s: %v instead of %v\n%v", name, b.Name(), packet, reason, proof.Outcome(&got), proof.Outcome(&want), want.Steps)
		}
	}
	return count
}

// Packets returns random packets for a program, as a node would receive them.
func Packets(seed uint64, p *ir.Program, n int) []eval.Packet {
	rng := rand.New(rand.NewPCG(seed, 3))
	flows := testkit.RandomFlows(rng, p, n)
	out := make([]eval.Packet, len(flows))
	for i, f := range flows {
		out[i] = eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From, Interface: interfaceOf(f.From, p.Node.Local)}
		if len(p.Policy.Profiles) > 0 && rng.IntN(20) == 0 {
			out[i].Port = 0
			out[i].Protocol, out[i].Type = icmp(rng, f.Dst)
		}
		if tellsApart(&p.Policy) {
			transport(rng, &out[i])
		}
	}
	return out
}

// tellsApart reports whether rules may be about more than destination ports.
func tellsApart(p *ir.Policy) bool {
	return slices.ContainsFunc(p.Profiles, func(x ir.Profile) bool {
		return slices.ContainsFunc(slices.Concat(x.Egress, x.Ingress), func(t ir.Tier) bool {
			return slices.ContainsFunc(t.Rules, func(r ir.Rule) bool {
				special := func(p ir.PortRange) bool { return !p.Protocol.HasPorts() }
				return len(r.SourcePorts) > 0 || slices.ContainsFunc(r.Ports, special) || slices.ContainsFunc(r.NotPorts, special)
			})
		})
	})
}

// transport gives a packet a source port, or makes it one of a protocol without ports.
func transport(rng *rand.Rand, p *eval.Packet) {
	if p.Protocol.HasPorts() {
		p.SourcePort = []uint16{0, 80, 443, 8080, 9000, 40000, 65535}[rng.IntN(7)]
	}
	switch rng.IntN(6) {
	case 0:
		p.Port, p.SourcePort = 0, 0
		p.Protocol, _ = icmp(rng, p.Dst)
		p.Type, p.Code = irtest.PolicyTypes[rng.IntN(len(irtest.PolicyTypes))], []uint8{0, 1, 2, 255}[rng.IntN(4)]
	case 1:
		p.Port, p.SourcePort = 0, 0
		p.Protocol = []ir.Protocol{47, 50, 51, 99, 200}[rng.IntN(5)]
	}
}

// icmp is an echo request, an error, or a neighbour solicitation.
func icmp(rng *rand.Rand, dst netip.Addr) (ir.Protocol, uint8) {
	if dst.Is4() {
		return ir.ICMP, []uint8{8, 3}[rng.IntN(2)]
	}
	return ir.ICMPv6, []uint8{128, 1, 133, 135, 137, 138}[rng.IntN(6)]
}

// interfaceOf returns an input interface that the local detector accepts.
func interfaceOf(from eval.Entry, d ir.LocalDetector) string {
	switch {
	case from == eval.FromOutside:
		return "uplink0"
	case from == eval.FromNode:
		return ""
	case d.Mode == ir.DetectInterface:
		return d.Interface
	case d.Mode == ir.DetectInterfacePrefix:
		return d.Interface + "0"
	}
	return "pod0"
}
