package nftables

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// TestDeterminism shuffles what has no order and wants the same bytes.
func TestDeterminism(t *testing.T) {
	for seed := range uint64(20) {
		p := irtest.RandomProgram(rand.New(rand.NewPCG(seed, 1)))
		irtest.AddRandomPolicy(rand.New(rand.NewPCG(seed, 3)), p)
		want := emit(t, p, backends.DefaultOptions())
		rng := rand.New(rand.NewPCG(seed, 2))
		for range 5 {
			rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
			rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
			for k := range p.Pools {
				e := p.Pools[k].Endpoints
				rng.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
			}
			shufflePolicy(rng, &p.Policy)
			p.Normalize()
			if emit(t, p, backends.DefaultOptions()) != want {
				t.Fatalf("seed %d: other bytes for an equal program", seed)
			}
		}
	}
}

func shufflePolicy(rng *rand.Rand, p *ir.Policy) {
	rng.Shuffle(len(p.Profiles), func(i, j int) { p.Profiles[i], p.Profiles[j] = p.Profiles[j], p.Profiles[i] })
	rng.Shuffle(len(p.AddressSets), func(i, j int) { p.AddressSets[i], p.AddressSets[j] = p.AddressSets[j], p.AddressSets[i] })
	for i := range p.Profiles {
		pods := p.Profiles[i].Pods
		rng.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
	}
	for i := range p.AddressSets {
		a := p.AddressSets[i].Addresses
		rng.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
	}
}

// TestOneEndpointLess counts the elements that change in a large program.
func TestOneEndpointLess(t *testing.T) {
	from, to := irtest.ManyServices(1000), irtest.ManyServices(1000)
	to.Pools[500].Endpoints = to.Pools[500].Endpoints[1:]
	_, n := transition(t, make(map[string]bool), from, to, backends.DefaultOptions())
	// The verdict (deleted and added), at most 5 indexes the same way, hairpin.
	if n > 2+2*5+1 {
		t.Errorf("one endpoint left, %d elements changed", n)
	}
}

func TestNoComments(t *testing.T) {
	text := emit(t, irtest.KitchenSink(), backends.Options{MasqueradeBit: 14, NoComments: true})
	if strings.Contains(text, "comment") || strings.Contains(text, "cart") {
		t.Error("there are comments")
	}
}

func TestMasqueradeBit(t *testing.T) {
	for _, bit := range []int{-1, 32} {
		if _, err := New(backends.Options{MasqueradeBit: bit}).Emit(irtest.KitchenSink()); err == nil {
			t.Errorf("bit %d is taken", bit)
		}
	}
	if text := emit(t, irtest.KitchenSink(), backends.Options{MasqueradeBit: 0}); !strings.Contains(text, "| 0x00000001\n") {
		t.Error("bit 0 is not 0x00000001")
	}
}

// TestTooManySlots: what Check reports is what Emit refuses.
func TestTooManySlots(t *testing.T) {
	p := irtest.KitchenSink()
	p.Pools[0].Endpoints[0].Weight, p.Pools[0].Endpoints[1].Weight = 65535, 65534
	b := New(backends.DefaultOptions())
	if got := b.Check(p); len(got) != 1 || !strings.Contains(got[0].Message, p.Pools[0].ID) {
		t.Errorf("Check says %v", got)
	}
	text := emit(t, p, backends.DefaultOptions())
	_, unserved, _ := strings.Cut(text, " unserved {")
	unserved, _, _ = strings.Cut(unserved, "\t}\n")
	if !strings.Contains(unserved, "10.96.0.1 . tcp . 80 ") || strings.Contains(text, "10.96.0.1 . tcp . 80 . 0") || !strings.Contains(text, "10.96.0.1 . tcp . 90 . 0") {
		t.Errorf("not exactly the Service of the pool is refused: %s", text)
	}
	if got := b.Check(irtest.KitchenSink()); len(got) != 0 {
		t.Errorf("Check says %v of a program without weights", got)
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[uint32]string{1: "1s", 60: "1m", 10800: "3h", 86400: "1d", 90061: "1d1h1m1s", 3601: "1h1s"} {
		if got := duration(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
}

func TestUnknownPool(t *testing.T) {
	p := irtest.KitchenSink()
	p.Frontends[0].Internal.Pool = "nowhere"
	if _, err := New(backends.DefaultOptions()).Emit(p); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

// TestTooManyRanges refuses the Services with the most source ranges where all
// together have too many.
func TestTooManyRanges(t *testing.T) {
	p := &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}, Pools: []ir.Pool{irtest.Pool("all", "10.1.0.2:8080")}}
	for i, n := range []int{4000, 4000, 3000, 4000, 100, 4001} {
		f := irtest.Frontend(ir.LoadBalancer, fmt.Sprintf("s-%d", i), fmt.Sprintf("203.0.113.%d:80", 1+i), "all")
		for r := range n {
			f.SourceRanges = append(f.SourceRanges, netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(r >> 8), byte(r), 0}), 25))
		}
		p.Frontends = append(p.Frontends, f)
	}
	p.Normalize()
	list := New(backends.DefaultOptions()).Check(p)
	if len(list) != 1 || !strings.Contains(list[0].Message, "Service shop/s-5: 4001 source ranges") {
		t.Errorf("Check says %v", list)
	}
}
