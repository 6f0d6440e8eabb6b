package bpf_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 100, "how many random clusters the programs are asked about")
	tuples   = flag.Int("tuples", 1000, "how many connections of each")
)

// questionAt is QUESTION_AT of kernel.h.
const questionAt = 64

// question is struct question of socket.c.
type question struct {
	Address             layout.Address
	Port                layout.Port
	Protocol            uint8
	IPv6                bool
	Node, First, Second uint32
	Netns               uint64
	Verdict             int32
	Answered            uint32
}

// asker runs pick of one set of pinned maps.
type asker struct {
	pins    *live.Pins
	program *ebpf.Program
}

// loadSpec loads programs with the maps of a directory of pins.
func loadSpec(t *testing.T, of func() (*ebpf.CollectionSpec, error), dir string) *ebpf.Collection {
	t.Helper()
	spec, err := of()
	if err != nil {
		t.Fatal(err)
	}
	pinned := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		if name[0] == '.' {
			continue // constants
		}
		m, err := ebpf.LoadPinnedMap(dir+"/"+name, nil)
		if errors.Is(err, fs.ErrNotExist) {
			continue // what programs remember
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		pinned[name] = m
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: pinned})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func (a *asker) put(t *testing.T, p *ir.Program) {
	t.Helper()
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	have, err := a.pins.Observe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pins.Apply(context.Background(), live.NewPlan(have, img)); err != nil {
		t.Fatal(err)
	}
}

func (a *asker) ask(t *testing.T, q question) question {
	t.Helper()
	data, err := binary.Append(make([]byte, questionAt), binary.LittleEndian, q)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(data)+64)
	n, err := a.program.Run(&ebpf.RunOptions{Data: data, DataOut: out})
	if err != nil || n != 0 {
		t.Fatalf("%d, %v", n, err)
	}
	var answer question
	if _, err := binary.Decode(out[questionAt:], binary.LittleEndian, &answer); err != nil || answer.Answered != 1 {
		t.Fatalf("%v: %+v", err, answer)
	}
	return answer
}

// TestPick asks the program in the kernel what the evaluator is asked, about random
// connections to random clusters.
func TestPick(t *testing.T) {
	dir := testkit.BPFFS(t)
	a := &asker{pins: live.NewPins(dir)}
	count := make(map[string]int)
	for i := range uint64(*clusters) {
		p := services(i + 1)
		a.put(t, p)
		if a.program == nil {
			a.program = loadSpec(t, bpf.LoadSocket, dir).Programs["ask"]
		}
		rng := rand.New(rand.NewPCG(i, 9))
		e := eval.New(p)
		for _, packet := range interptest.Packets(i, p, *tuples) {
			if !askable(p, &packet) {
				continue
			}
			q := question{
				Address: layout.AddressOf(packet.Dst), Port: layout.PortOf(packet.Port), Protocol: uint8(packet.Protocol), IPv6: !packet.Dst.Is4(),
				First: rng.Uint32(), Second: rng.Uint32(), Netns: rng.Uint64(),
			}
			if packet.From == eval.FromNode {
				q.Node = 1
			}
			got, want := a.ask(t, q), e.Eval(packet)
			what, err := agree(want, got)
			if err != nil {
				t.Fatalf("cluster %d: %v from %v: %v; evaluator %v %v, program %+v\n%s", i, packet, packet.From, err, want.Verdict, want.Endpoints, got, p.Text())
			}
			count[what]++
		}
	}
	t.Log(count)
	for _, want := range []string{"dnat", "pass", "reject", "drop", "left to packets"} {
		if count[want] == 0 {
			t.Errorf("no connection is %s: the test does not ask enough", want)
		}
	}
}

// services is a random cluster without its policies, which sockets do not judge.
func services(seed uint64) *ir.Program {
	c := randomcluster.New(seed)
	p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	p.Policy = ir.Policy{}
	rng := rand.New(rand.NewPCG(seed, 3))
	for i := range p.Pools {
		if rng.IntN(2) == 0 {
			for j := range p.Pools[i].Endpoints {
				p.Pools[i].Endpoints[j].Weight = uint16(1 + rng.IntN(4)*rng.IntN(5000))
			}
		}
	}
	p.Normalize()
	return p
}

// askable makes a connection that a socket of a pod or of the node could open, or
// reports that there is none. A pod is a local pod where the node recognises pods at all.
func askable(p *ir.Program, packet *eval.Packet) bool {
	if packet.Protocol != ir.TCP && packet.Protocol != ir.UDP || packet.Midstream {
		return false
	}
	if packet.From == eval.FromNode {
		return true
	}
	packet.From = eval.FromPod
	switch local := p.Node.Local; local.Mode {
	case ir.DetectNone:
		return !slices.Contains(p.Node.Addresses, packet.Src) && !packet.Src.IsLoopback()
	case ir.DetectCIDR:
		return slices.ContainsFunc(local.CIDRs, func(c netip.Prefix) bool { return c.Contains(packet.Src) })
	default:
		packet.Interface = local.Interface
	}
	return true
}

// agree says what a connection came to, and whether both say so.
func agree(want eval.Result, got question) (string, error) {
	if want.Frontend != nil && len(want.Frontend.SourceRanges) > 0 {
		if got.Verdict != 0 {
			return "", fmt.Errorf("it has source ranges, which sockets leave to packets")
		}
		return "left to packets", nil
	}
	verdict := map[eval.Verdict]int32{eval.Pass: 0, eval.DNAT: 1, eval.Reject: -int32(unix.ECONNREFUSED), eval.Drop: -int32(unix.EHOSTUNREACH)}[want.Verdict]
	if got.Verdict != verdict {
		return "", fmt.Errorf("verdict %d, want %d", got.Verdict, verdict)
	}
	if want.Verdict == eval.DNAT {
		at := netip.AddrPortFrom(got.Address.Addr(), got.Port.Number())
		if !slices.ContainsFunc(want.Endpoints, func(c eval.Choice) bool { return c.Address == at && c.Weight > 0 }) {
			return "", fmt.Errorf("%v is no endpoint", at)
		}
	}
	return want.Verdict.String(), nil
}

// TestAffinityOfAnotherCPU: a binding that another CPU has just renewed is later than the
// time that a program read before, and holds all the same.
func TestAffinityOfAnotherCPU(t *testing.T) {
	dir := testkit.BPFFS(t)
	a := &asker{pins: live.NewPins(dir)}
	var endpoints []netip.AddrPort
	for i := range byte(50) {
		endpoints = append(endpoints, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 244, 1, i + 1}), 80))
	}
	at := netip.MustParseAddr("10.96.0.1")
	p := withAffinity(at, endpoints)
	a.put(t, p)
	c := loadSpec(t, bpf.LoadSocket, dir)
	a.program = c.Programs["ask"]
	q := question{Address: layout.AddressOf(at), Port: layout.PortOf(80), Protocol: uint8(ir.TCP), Netns: 1, First: 7}
	first := a.ask(t, q)
	var key [layout.AffinityKeySize]byte
	var value [layout.AffinityValueSize]byte
	bindings := c.Maps["plc_aff"]
	if err := bindings.NextKey(nil, &key); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(50) {
		if err := bindings.Lookup(&key, &value); err != nil {
			t.Fatal(err)
		}
		last := value[layout.AffinityValueSize-8:]
		binary.LittleEndian.PutUint64(last, binary.LittleEndian.Uint64(last)+1e9)
		if err := bindings.Put(&key, &value); err != nil {
			t.Fatal(err)
		}
		q.First = i
		if got := a.ask(t, q); got.Verdict != 1 || got.Address != first.Address {
			t.Fatalf("%+v, before it %+v", got, first)
		}
	}
}

// withAffinity has one Service, whose clients keep their endpoint.
func withAffinity(at netip.Addr, endpoints []netip.AddrPort) *ir.Program {
	pool := ir.Pool{ID: "p"}
	for _, e := range endpoints {
		pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: e, Weight: 1})
	}
	to := ir.Route{Pool: "p", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
	p := &ir.Program{
		Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}, ClusterIPs: []netip.Addr{at}, Pools: []ir.Pool{pool},
		Frontends: []ir.Frontend{{
			ID: "f", Kind: ir.ClusterIP, Service: ir.ServicePort{Namespace: "n", Name: "s", Protocol: ir.TCP}, Affinity: 60, Internal: to, External: to,
			Match: ir.Match{Family: ir.FamilyOf(at), Address: at, Protocol: ir.TCP, Port: 80},
		}},
	}
	p.Normalize()
	return p
}

// TestAffinityFindsPlaces has bindings whose place is no more that of their endpoint, because others
// came and went: the endpoint is found wherever it is in the pool, by its address and its port. A
// binding to another one, near those that there are, is replaced.
func TestAffinityFindsPlaces(t *testing.T) {
	for _, size := range []int{1, 2, 3, 50, 257} {
		for _, base := range []string{"10.244.1.9", "fd00:10:244::9"} {
			findsPlaces(t, netip.MustParseAddr(base), size)
		}
	}
}

func findsPlaces(t *testing.T, base netip.Addr, size int) {
	t.Helper()
	var endpoints []netip.AddrPort
	for i, addr := 0, base; i < size; i++ {
		endpoints = append(endpoints, netip.AddrPortFrom(addr, uint16(256+i%3*257)))
		if i%3 == 2 {
			addr = addr.Next().Next() // there is an address between them
		}
	}
	at := netip.MustParseAddr("10.96.0.1")
	if base.Is6() {
		at = netip.MustParseAddr("fd00:96::1")
	}
	dir := testkit.BPFFS(t)
	a := &asker{pins: live.NewPins(dir)}
	a.put(t, withAffinity(at, endpoints))
	c := loadSpec(t, bpf.LoadSocket, dir)
	a.program = c.Programs["ask"]
	q := question{Address: layout.AddressOf(at), Port: layout.PortOf(80), Protocol: uint8(ir.TCP), Netns: 1}
	if base.Is6() {
		q.IPv6 = true
	}
	if got := a.ask(t, q); got.Verdict != 1 {
		t.Fatalf("%d endpoints from %v: %+v", size, base, got)
	}
	bindings := c.Maps["plc_aff"]
	ask := func(to netip.AddrPort, place uint32) netip.AddrPort {
		var key [layout.AffinityKeySize]byte
		var value [layout.AffinityValueSize]byte
		if err := bindings.NextKey(nil, &key); err != nil {
			t.Fatal(err)
		}
		if err := bindings.Lookup(&key, &value); err != nil {
			t.Fatal(err)
		}
		e := layout.Endpoint{Address: layout.AddressOf(to.Addr()), Port: layout.PortOf(to.Port())}
		copy(value[:18], e.Append(nil)[:18])
		binary.LittleEndian.PutUint32(value[20:], place)
		if err := bindings.Put(&key, &value); err != nil {
			t.Fatal(err)
		}
		got := a.ask(t, q)
		if got.Verdict != 1 {
			t.Fatalf("%d endpoints from %v, bound to %v: %+v", size, base, to, got)
		}
		return netip.AddrPortFrom(got.Address.Addr(), got.Port.Number())
	}
	for i, e := range endpoints {
		q.First = uint32(i + 1)
		for _, place := range []uint32{uint32(i), uint32(size - 1 - i), uint32(i + 1), uint32(size), 1 << 31} {
			if got := ask(e, place); got != e {
				t.Fatalf("%d endpoints from %v: bound to %v at place %d, and given %v", size, base, e, place, got)
			}
		}
		for _, other := range []netip.AddrPort{
			netip.AddrPortFrom(e.Addr(), e.Port()+1), netip.AddrPortFrom(e.Addr(), e.Port()-1),
			netip.AddrPortFrom(e.Addr().Prev(), 1), netip.AddrPortFrom(e.Addr().Next(), 65535),
		} {
			if got := ask(other, uint32(i)); !slices.Contains(endpoints, got) {
				t.Fatalf("%d endpoints from %v: bound to %v, which is none, and given %v", size, base, other, got)
			}
		}
	}
}
