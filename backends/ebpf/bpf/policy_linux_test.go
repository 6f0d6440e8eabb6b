package bpf_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// opening is struct question of policy.c.
type opening struct {
	Source, Destination               layout.Address
	Port                              layout.Port
	Protocol, Type                    uint8
	IPv6, Midstream, Own              bool
	Reserved                          uint8
	SourcePort                        layout.Port
	Padding                           [2]uint8
	EgressAnswer, IngressAnswer, Done uint32
}

// TestPolicies asks the judgement in the kernel what the evaluator says of packets that no
// Service concerns, with random policies in combinations that no compiler makes: those of
// Kubernetes and those of other dialects in turn.
func TestPolicies(t *testing.T) {
	dir := testkit.BPFFS(t)
	a := &asker{pins: live.NewPins(dir)}
	count := make(map[eval.Verdict]int)
	for i := range uint64(*clusters) {
		rng := rand.New(rand.NewPCG(i, 11))
		p := irtest.RandomProgram(rng)
		if i%2 == 0 {
			irtest.AddRandomPolicy(rng, p)
		} else {
			irtest.AddRandomDialects(rng, p)
		}
		p.Frontends, p.Pools, p.ClusterIPs, p.HealthChecks = nil, nil, nil, nil
		p.Node.ServiceCIDRs = nil
		a.put(t, p)
		if a.program == nil {
			a.program = loadSpec(t, bpf.LoadPolicy, dir).Programs["ask"]
		}
		// What the node itself may send and get is for rules of packets.
		e := eval.New(vethtest.WithoutNode(p))
		for _, packet := range interptest.Packets(i, p, *tuples) {
			want := e.Eval(packet).Verdict
			q := a.judge(t, &packet, packet.From == eval.FromNode || e.IsNodeAddress(packet.Src))
			if got := q.EgressAnswer&q.IngressAnswer == 1; got != (want == eval.Pass) {
				t.Fatalf("program %d: %v: evaluator %v, egress %d, ingress %d\n%s", i, packet, want, q.EgressAnswer, q.IngressAnswer, p.Text())
			}
			count[want]++
		}
	}
	t.Log(count)
	if count[eval.Pass] == 0 || count[eval.Drop] == 0 || count[eval.Reject] == 0 {
		t.Error("the test does not ask enough")
	}
}

func (a *asker) judge(t *testing.T, p *eval.Packet, own bool) opening {
	t.Helper()
	q := opening{
		Source: layout.AddressOf(p.Src), Destination: layout.AddressOf(p.Dst), Port: layout.PortOf(p.Transport(p.Port).Port),
		Protocol: uint8(p.Protocol), Type: p.Type, IPv6: !p.Src.Is4(), Midstream: p.Midstream && p.Protocol == ir.TCP,
		Own: own, SourcePort: layout.PortOf(p.SourcePort),
	}
	data, err := binary.Append(make([]byte, questionAt), binary.LittleEndian, q)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(data)+64)
	if n, err := a.program.Run(&ebpf.RunOptions{Data: data, DataOut: out}); err != nil || n != 0 {
		t.Fatalf("%d, %v", n, err)
	}
	var answer opening
	if _, err := binary.Decode(out[questionAt:], binary.LittleEndian, &answer); err != nil || answer.Done != 1 {
		t.Fatalf("%v: %+v", err, answer)
	}
	return answer
}
