package nftables

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// TestCovered reads the rules beside programs at interfaces: between covered pods nothing is
// tracked, and policies judge only what has got its endpoint from rules.
func TestCovered(t *testing.T) {
	p := irtest.RandomProgram(rand.New(rand.NewPCG(1, 1)))
	irtest.AddRandomDialects(rand.New(rand.NewPCG(1, 1)), p)
	p.Node.Local, p.Masquerade, p.Node.DropInvalid = ir.LocalDetector{Mode: ir.DetectNone}, ir.Masquerade{}, true
	o := backends.DefaultOptions()
	o.PoliciesAtInterfaces = true
	between := "ip saddr @covered ip daddr @covered "
	want := []string{
		"set covered {\n\t\ttype ipv4_addr\n\t\tsize 65536\n\t\tflags dynamic,timeout\n\t}",
		"meta l4proto tcp " + between + "iif @guarded ip saddr != @translated ip daddr != @translated notrack",
		"meta l4proto udp " + between + "iif @guarded ip saddr != @translated ip daddr != @translated notrack",
		"ct status dnat ip saddr @watched ip daddr @watched update @translated { ip saddr timeout 5d }",
		"ct state invalid " + between + "iif @guarded oif @guarded accept\n\t\tct state invalid drop",
		"ct state established,related accept\n\t\tct state untracked iif @guarded ip daddr @covered accept\n\t\t" + between + "iif @guarded oif @guarded jump judged",
		"ct state established,related accept\n\t\tct state untracked oif @guarded accept\n\t\t" + between + "iif @guarded oif @guarded jump judged",
		"chain judged {\n\t\tct status dnat return\n\t\taccept\n\t}",
	}
	text := emitBeside(t, p, o)
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the rules lack %q", w)
		}
	}
	if alone := emit(t, p, o); strings.Contains(alone, "covered") {
		t.Error("the backend of nftables has the option, without programs")
	}

	p.Masquerade = ir.Masquerade{Families: []ir.Family{ir.IPv4}}
	if text := emitBeside(t, p, o); strings.Contains(text, "ip saddr @covered") {
		t.Error("covered pods, where to_pod would see the node's address")
	}
	p.Masquerade.Exclude = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	within := between + "ip saddr @masquerade-exclusions ip daddr @masquerade-exclusions "
	text = emitBeside(t, p, o)
	if strings.Count(text, within) != strings.Count(text, between) || !strings.Contains(text, within+"iif @guarded oif @guarded jump judged") {
		t.Error("what is masqueraded is left to programs")
	}
}
