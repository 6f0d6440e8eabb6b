package live

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/compiler"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// question is what the test's program is asked, in place of a packet: the end of
// a connection that is policed, and the rest as the keys want it.
func question(direction uint8, subject, peer netip.Addr, proto ir.Protocol, port uint16) []byte {
	b := make([]byte, 0, 64)
	a := layout.AddressOf(subject)
	b = append(b, a[:]...) // 0
	a = layout.AddressOf(peer)
	b = append(b, a[:]...) // 16
	set := layout.BE32Of(layout.ClassSet(!peer.Is4()))
	b = append(b, set[:]...) // 32
	be := layout.PortOf(port)
	b = append(b, 0, uint8(proto), be[0], be[1]) // 36
	b = append(b, direction, 0, 0, 0)            // 40
	return b[:64]
}

// missing is what the test's program returns where it finds no map.
const missing = 0

// judge is the look-ups of policies as planec's programs will do them. It
// answers with a verdict of port, or missing where a map is not there. Places
// below the frame pointer: 4 is the slot, 8 to 40 are keys, 48 is the profile,
// 56 the row.
func judge(t testing.TB, d *Dataplane) *ebpf.Program {
	t.Helper()
	const packet, slot, value = asm.R6, asm.R7, asm.R8
	find := func(index int, key int16) asm.Instructions {
		return asm.Instructions{
			asm.StoreMem(asm.RFP, -4, slot, asm.Word), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
			asm.LoadMapPtr(asm.R1, d.outer[slices.Index(restMaps[:], index)].FD()), asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, "missing"),
			asm.Mov.Reg(asm.R1, asm.R0), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(key)), asm.FnMapLookupElem.Call(),
		}
	}
	// words copies from the packet to the key.
	words := func(key, at, n int16) (out asm.Instructions) {
		for i := int16(0); i < n; i += 4 {
			out = append(out, asm.LoadMem(asm.R1, packet, at+i, asm.Word), asm.StoreMem(asm.RFP, key+i, asm.R1, asm.Word))
		}
		return out
	}
	code := asm.Instructions{
		asm.LoadMem(packet, asm.R1, 0, asm.Word), asm.LoadMem(asm.R3, asm.R1, 4, asm.Word),
		asm.Mov.Reg(asm.R2, packet), asm.Add.Imm(asm.R2, 64), asm.JGT.Reg(asm.R2, asm.R3, "missing"),
		asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, -4, asm.R1, asm.Word), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.LoadMapPtr(asm.R1, d.active.FD()), asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, "missing"),
		asm.LoadMem(slot, asm.R0, 0, asm.DWord), asm.And.Imm(slot, 0xff),
	}
	code = append(code, words(-40, 0, layout.AddressSize)...)
	code = append(code, find(layout.Pods, -40)...)
	code = append(
		code, asm.JEq.Imm(asm.R0, 0, "accept"), asm.Mov.Reg(value, asm.R0),
		asm.LoadMem(asm.R1, value, 0, asm.DWord), asm.StoreMem(asm.RFP, -48, asm.R1, asm.DWord),
		asm.LoadMem(asm.R2, packet, 40, asm.Word), asm.LoadMem(asm.R1, value, 24, asm.Word),
		asm.And.Reg(asm.R1, asm.R2), asm.JEq.Imm(asm.R1, 0, "accept"), // the directions are the flags
		asm.LoadMem(asm.R1, value, 8, asm.DWord), asm.JEq.Imm(asm.R2, layout.DirectionEgress, "default"),
		asm.LoadMem(asm.R1, value, 16, asm.DWord),
		asm.StoreMem(asm.RFP, -56, asm.R1, asm.DWord).WithSymbol("default"),
		asm.StoreImm(asm.RFP, -40, layout.MaxPrefixBits, asm.Word),
	)
	code = append(code, words(-36, 32, 4)...)
	code = append(code, words(-32, 16, layout.AddressSize)...)
	code = append(code, find(layout.Classes, -40)...)
	code = append(
		code, asm.Mov.Imm(asm.R1, 0), asm.JEq.Imm(asm.R0, 0, "class"), asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Word).WithSymbol("class"), asm.StoreMem(asm.RFP, -28, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, -48, asm.DWord), asm.StoreMem(asm.RFP, -40, asm.R1, asm.DWord),
	)
	code = append(code, words(-32, 40, 4)...)
	code = append(code, find(layout.Rows, -40)...)
	code = append(
		code, asm.LoadMem(asm.R1, asm.RFP, -56, asm.DWord), asm.JEq.Imm(asm.R0, 0, "row"), asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
		asm.StoreMem(asm.RFP, -56, asm.R1, asm.DWord).WithSymbol("row"),
		asm.LoadImm(asm.R2, fixed(layout.RowAccept), asm.DWord), asm.JEq.Reg(asm.R1, asm.R2, "accept"),
		asm.LoadImm(asm.R2, fixed(layout.RowDeny), asm.DWord), asm.JEq.Reg(asm.R1, asm.R2, "deny"),
		asm.StoreImm(asm.RFP, -40, layout.MaxPortBits, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, -56, asm.Word), asm.StoreMem(asm.RFP, -36, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, -52, asm.Word), asm.StoreMem(asm.RFP, -32, asm.R1, asm.Word),
	)
	code = append(code, words(-28, 36, 4)...)
	code = append(code, find(layout.Ports, -40)...)
	code = append(
		code, asm.JEq.Imm(asm.R0, 0, "missing"), asm.LoadMem(asm.R0, asm.R0, 0, asm.Word), asm.Ja.Label("out"),
		asm.Mov.Imm(asm.R0, int32(layout.VerdictAccept)).WithSymbol("accept"), asm.Ja.Label("out"),
		asm.Mov.Imm(asm.R0, int32(layout.VerdictDeny)).WithSymbol("deny"), asm.Ja.Label("out"),
		asm.Mov.Imm(asm.R0, missing).WithSymbol("missing"), asm.Return().WithSymbol("out"),
	)
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Dual BSD/GPL", Instructions: code})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// fixed is an identity as a program loads it.
func fixed(id layout.PolicyID) int64 {
	return int64(layout.DecodeIndex(id[:])) | int64(layout.DecodeIndex(id[4:]))<<32
}

// TestProgramsJudge compares what a program in the kernel finds in the maps with
// what the interpreter says of the packet.
func TestProgramsJudge(t *testing.T) {
	const programs, packets = 60, 400
	d := open(t)
	p := judge(t, d)
	count := make(map[uint32]int)
	ask := func(direction uint8, subject, peer netip.Addr, packet eval.Packet) bool {
		if subject.Is4In6() {
			return true
		}
		got, err := p.Run(&ebpf.RunOptions{Data: question(direction, subject, peer, packet.Protocol, packet.Port)})
		if err != nil || got == missing || got == math.MaxUint32 {
			t.Fatalf("%v: %d, %v", packet, got, err)
		}
		count[got]++
		return got == uint32(layout.VerdictAccept)
	}
	for seed := range uint64(programs) {
		program := onlyPolicies(seed)
		img, err := image.New(backends.DefaultOptions()).Image(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Load(img); err != nil {
			t.Fatal(err)
		}
		n, e := interp.New(img), eval.New(program)
		for _, packet := range interptest.Packets(seed, program, packets) {
			if packet.From == eval.FromNode || packet.Protocol == ir.ICMPv6 && packet.Type != 128 {
				continue
			}
			want := n.Eval(packet).Verdict == eval.Pass
			got := ask(layout.DirectionEgress, packet.Src, packet.Dst, packet) &&
				(e.IsNodeAddress(packet.Src) || ask(layout.DirectionIngress, packet.Dst, packet.Src, packet))
			if got != want {
				t.Errorf("seed %d: %v: the kernel accepts: %v, the interpreter: %v", seed, packet, got, want)
			}
		}
	}
	t.Logf("%d questions accepted, %d denied", count[uint32(layout.VerdictAccept)], count[uint32(layout.VerdictDeny)])
	if count[uint32(layout.VerdictAccept)] < 1000 || count[uint32(layout.VerdictDeny)] < 1000 {
		t.Error("the test does not ask enough")
	}
}

// onlyPolicies is a program that has nothing else to refuse a packet for.
func onlyPolicies(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 12))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	p.Frontends, p.Pools, p.ClusterIPs, p.Node.ServiceCIDRs = nil, nil, nil, nil
	return p
}

// BenchmarkJudge is one direction of one packet in the kernel, averaged over
// pods and peers: with 1,000 policies about as long as with 20.
func BenchmarkJudge(b *testing.B) {
	for _, size := range []clustergen.PolicySize{
		{Pods: 200, Nodes: 40, Namespaces: 10, Policies: 20}, {Pods: 2000, Nodes: 40, Namespaces: 100, Policies: 200}, clustergen.LargePolicies,
	} {
		b.Run(fmt.Sprintf("policies=%d", size.Policies), func(b *testing.B) {
			set := clustergen.PolicyObjects(size)
			program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
			img, err := image.New(backends.DefaultOptions()).Image(program)
			if err != nil {
				b.Fatal(err)
			}
			d := open(b)
			p := judge(b, d)
			if err := d.Load(img); err != nil {
				b.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			pods, peers := img.Map(layout.Pods), img.Map(layout.Classes)
			var total time.Duration
			for b.Loop() {
				pod := layout.Address(pods.Key(rng.IntN(pods.Len()))).Addr()
				peer := layout.DecodePrefixKey(peers.Key(rng.IntN(peers.Len()))).Address.Addr()
				q := question(uint8(1+rng.IntN(2)), pod, peer, ir.TCP, []uint16{53, 80, 8080}[rng.IntN(3)])
				_, took, err := p.Benchmark(q, 1000, nil)
				if err != nil {
					b.Fatal(err)
				}
				total += took
			}
			b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/judgement")
		})
	}
}
