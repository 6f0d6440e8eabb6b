package live

import (
	"flag"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// What the test's program returns.
const (
	missing = iota
	consistent
	torn
)

// reader is a program like planec's future ones: it reads active once, looks up a
// service in svc and its first endpoint in ep, and compares the service's affinity
// with the endpoint's port, which are equal in every image of the test.
func reader(t *testing.T, d *Dataplane) *ebpf.Program {
	t.Helper()
	lookup := func(fd int, key asm.Instructions) asm.Instructions {
		out := append(key, asm.LoadMapPtr(asm.R1, fd))
		return append(out, asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, "missing"))
	}
	index := func(r asm.Register) asm.Instructions {
		return asm.Instructions{asm.StoreMem(asm.RFP, -4, r, asm.Word), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4)}
	}
	inner := func(key asm.Instructions) asm.Instructions {
		out := append(asm.Instructions{asm.Mov.Reg(asm.R8, asm.R0)}, key...)
		return append(out, asm.Mov.Reg(asm.R1, asm.R8), asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, "missing"))
	}
	serviceKey := asm.Instructions{}
	key := layout.ServiceKey{Address: layout.AddressOf(netip.MustParseAddr("10.96.0.1")), Port: layout.PortOf(80), Protocol: uint8(ir.TCP)}.Append(nil)
	for i := 0; i < len(key); i += 4 {
		serviceKey = append(serviceKey, asm.StoreImm(asm.RFP, int16(i-32), int64(layout.DecodeIndex(key[i:])), asm.Word))
	}
	serviceKey = append(serviceKey, asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -32))

	code := asm.Instructions{asm.Mov.Imm(asm.R7, 0)}
	code = append(code, lookup(d.active.FD(), index(asm.R7))...)
	code = append(code, asm.LoadMem(asm.R7, asm.R0, 0, asm.DWord))
	code = append(code, lookup(d.outer[layout.Services].FD(), index(asm.R7))...)
	code = append(code, inner(serviceKey)...)
	code = append(code, asm.LoadMem(asm.R9, asm.R0, 40, asm.Word), asm.LoadMem(asm.R6, asm.R0, 8, asm.Word)) // affinity, base
	code = append(code, lookup(d.outer[layout.Endpoints].FD(), index(asm.R7))...)
	code = append(code, inner(index(asm.R6))...)
	code = append(code,
		asm.LoadMem(asm.R1, asm.R0, 16, asm.Half), asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.Mov.Imm(asm.R0, consistent), asm.JEq.Reg(asm.R1, asm.R9, "out"), asm.Mov.Imm(asm.R0, torn), asm.Ja.Label("out"),
		asm.Mov.Imm(asm.R0, missing).WithSymbol("missing"), asm.Return().WithSymbol("out"),
	)
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Dual BSD/GPL", Instructions: code})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// generationImage is an image whose service and endpoint both carry n; more
// pools before it move the endpoint to another place.
func generationImage(t *testing.T, n uint16) *image.Image {
	t.Helper()
	route := ir.Route{Pool: "z", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	service := ir.ServicePort{Namespace: "n", Name: "s", Protocol: ir.TCP}
	p := &ir.Program{
		Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}},
		Pools: []ir.Pool{
			{ID: "z", Endpoints: []ir.Endpoint{{Address: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), n), Weight: 1}}},
			{ID: "a"},
		},
		Frontends: []ir.Frontend{
			{ID: "s", Kind: ir.ClusterIP, Service: service, Affinity: uint32(n), Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("10.96.0.1"), Protocol: ir.TCP, Port: 80}},
			{ID: "t", Kind: ir.ClusterIP, Service: service, Internal: route, External: route, Match: ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("10.96.0.2"), Protocol: ir.TCP, Port: 80}},
		},
	}
	p.Frontends[1].Internal.Pool, p.Frontends[1].External.Pool = "a", "a"
	for i := range n % 5 {
		p.Pools[1].Endpoints = append(p.Pools[1].Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), 1+i), Weight: 1})
	}
	p.Normalize()
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

var (
	loads   = flag.Int("loads", 40, "how many images are loaded at least while a program runs")
	lasting = flag.Duration("lasting", 0, "how long they are loaded at least")
)

// TestProgramsSeeOneImage runs a program while images are loaded: every run must
// see exactly one image.
func TestProgramsSeeOneImage(t *testing.T) {
	d := open(t)
	p := reader(t, d)
	run := func(repeat uint32) uint32 {
		got, err := p.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: repeat})
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if got := run(1); got != missing {
		t.Fatalf("before the first load: %d", got)
	}
	if err := d.Load(generationImage(t, 1)); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	runs := make(chan [3]int)
	go func() {
		var seen [3]int
		for !stop.Load() {
			seen[run(1)%3]++
		}
		runs <- seen
	}()
	start := time.Now()
	loaded := 0
	for ; loaded < *loads || time.Since(start) < *lasting; loaded++ {
		if err := d.Load(generationImage(t, uint16(2+loaded%1000))); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	seen := <-runs
	t.Logf("%d runs across %d loads, %v", seen[consistent], loaded, time.Since(start).Round(time.Second/10))
	if seen[missing] != 0 || seen[torn] != 0 || seen[consistent] < 1000 {
		t.Errorf("missing %d, consistent %d, torn %d", seen[missing], seen[consistent], seen[torn])
	}
}
