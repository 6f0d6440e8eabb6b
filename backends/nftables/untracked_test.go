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

// TestUntracked reads the rules that keep connections between pods from being tracked: a
// single prefix of the family is compared, several are looked up.
func TestUntracked(t *testing.T) {
	o := backends.DefaultOptions()
	o.UntrackedPods = true
	for _, c := range []struct {
		cidrs, pods4, pods6 string
	}{
		{"10.1.0.0/16 fd00:1::/64", "10.1.0.0/16", "fd00:1::/64"},
		{"10.1.32.0/19 fd00:1::/57", "10.1.32.0/19", "fd00:1::/57"},
		{"10.1.0.0/16 10.3.0.0/16 fd00:1::/64", "@local-sources", "fd00:1::/64"},
		{"10.1.0.7/32", "10.1.0.7", ""},
		{"0.0.0.0/0 fd00:1::/64 fd00:2::/64", "0.0.0.0/0", "@local-sources"},
	} {
		p := untrackedProgram(irtest.Prefixes(strings.Fields(c.cidrs)...))
		text := emitBeside(t, p, o)
		for ip, pods := range map[string]string{"ip": c.pods4, "ip6": c.pods6} {
			between := ip + " saddr " + pods + " " + ip + " daddr " + pods + " "
			not := ip + " saddr != @translated " + ip + " daddr != @translated notrack accept\n"
			raw := "meta l4proto tcp " + between + not + "\t\tmeta l4proto udp " + between + not
			update := "ct status dnat " + between + "update @translated { " + ip + " saddr timeout 5d }\n"
			for _, want := range []string{raw, update} {
				if strings.Contains(text, want) != (pods != "") {
					t.Errorf("%s: %q is in the rules: %v", c.cidrs, want, pods == "")
				}
			}
		}
		first := "hook forward priority filter; policy accept;\n\t\tct state untracked accept\n"
		if families := len(strings.Split(c.cidrs, "fd00")); strings.Count(text, first) != min(2, families) {
			t.Errorf("%s: untracked packets pass first %d times", c.cidrs, strings.Count(text, first))
		}
		if alone := emit(t, p, o); strings.Contains(alone, "track") {
			t.Error("the backend of nftables has the option, without programs")
		}
	}
}

// TestAllTracked has no reason to leave a connection untracked.
func TestAllTracked(t *testing.T) {
	o := backends.DefaultOptions()
	o.UntrackedPods = true
	for name, change := range map[string]func(*ir.Program){
		"nothing is known of pods": func(p *ir.Program) { p.Node.Local = ir.LocalDetector{Mode: ir.DetectNone} },
		"pods are masqueraded":     func(p *ir.Program) { p.Masquerade = ir.Masquerade{Families: ir.Families()} },
		"Services are in the networks of pods": func(p *ir.Program) {
			p.Node.ServiceCIDRs = irtest.Prefixes("10.1.128.0/20", "fd00:1::/108")
		},
		"policies ask for states": func(p *ir.Program) { irtest.AddRandomPolicy(rand.New(rand.NewPCG(1, 1)), p) },
	} {
		p := untrackedProgram(irtest.Prefixes("10.1.0.0/16", "fd00:1::/64"))
		if change(p); strings.Contains(emitBeside(t, p, o), "track") {
			t.Errorf("%s, and connections are not tracked", name)
		}
	}
}

// untrackedProgram is a program whose pods' connections need no tracking.
func untrackedProgram(pods []netip.Prefix) *ir.Program {
	p := irtest.KitchenSink()
	p.Policy, p.Masquerade = ir.Policy{}, ir.Masquerade{}
	p.Node.Local, p.Node.ServiceCIDRs = ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: pods}, nil
	return p
}
