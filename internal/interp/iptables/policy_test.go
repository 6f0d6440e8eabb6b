package iptables_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var policies = flag.Int("policies", 300, "how many random programs with policies to compare")

// TestPoliciesAgreeWithEvaluator runs the emitted text of random programs with
// random policies.
func TestPoliciesAgreeWithEvaluator(t *testing.T) {
	count := interptest.RunPolicies(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
	t.Log(count)
	if count.Programs != *policies || count.Packets < *policies*290 {
		t.Errorf("that is not %d programs with 300 packets each", *policies)
	}
}

// TestDialectsAgreeWithEvaluator does the same with policies that only other dialects
// than Kubernetes' can express.
func TestDialectsAgreeWithEvaluator(t *testing.T) {
	t.Log(interptest.RunDialects(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300))
}

// TestManyPorts compares rows with very many ports of all protocols, which are
// trees of rules.
func TestManyPorts(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := &ir.Program{Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
		p.Policy = ir.Policy{OnDeny: ir.Reject, AddressSets: []ir.AddressSet{{ID: "peers", Addresses: irtest.Addrs("10.1.9.9")}}}
		origin := ir.Origin{Kind: "Policy", Namespace: "shop", Name: "ports", Path: "spec"}
		tier := ir.Tier{Kind: ir.AdminTier, Default: ir.Pass}
		for i := range 2 + rng.IntN(4) {
			r := ir.Rule{Action: ir.Actions()[rng.IntN(2)], Peers: []string{"peers"}, Origin: origin}
			if i == 0 {
				r.Peers, r.AnyPeer = nil, true
			}
			r.Origin.Path = fmt.Sprintf("spec.egress[%d]", i)
			for range 1 + rng.IntN(150) {
				first := rng.IntN(65000)
				r.Ports = append(r.Ports, ir.PortRange{Protocol: ir.Protocols()[rng.IntN(3)], First: uint16(first), Last: uint16(first + rng.IntN(3)*rng.IntN(100))})
			}
			tier.Rules = append(tier.Rules, r)
		}
		p.Policy.Profiles = []ir.Profile{{ID: "web", Pods: []ir.Pod{{Namespace: "shop", Name: "web", Addresses: irtest.Addrs("10.1.0.2")}}, Egress: []ir.Tier{tier}}}
		p.Normalize()
		if err := ir.Verify(p); err != nil {
			t.Fatal(err)
		}
		a, err := emitter.New(backends.DefaultOptions()).Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		run, err := interpret(p, a)
		if err != nil {
			t.Fatal(err)
		}
		e := eval.New(p)
		for _, dst := range irtest.Addrs("10.1.9.9", "192.0.2.1") {
			for _, port := range edges(p) {
				for _, proto := range ir.Protocols() {
					packet := eval.Packet{Src: irtest.Addrs("10.1.0.2")[0], Dst: dst, Protocol: proto, Port: port, From: eval.FromPod, Interface: "veth0"}
					got, err := run(packet)
					if want := e.Eval(packet); err != nil || got.Verdict != want.Verdict {
						t.Fatalf("seed %d: %v: %v (%v), want %v", seed, packet, got.Verdict, err, want.Verdict)
					}
				}
			}
		}
	}
}

// edges returns both ends of each range of ports and the ports next to them.
func edges(p *ir.Program) []uint16 {
	var out []uint16
	for _, r := range p.Policy.Profiles[0].Egress[0].Rules {
		for _, x := range r.Ports {
			out = append(out, x.First-1, x.First, x.Last, x.Last+1)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestPolicyErrors: what the tools would reject is an error, never a guess.
func TestPolicyErrors(t *testing.T) {
	for _, rule := range []string{
		"-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP",
		"-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 -j DROP",
		"-p tcp -m tcp --dport 2:1 -j DROP", "-p tcp -m tcp --dport 1,2 -j DROP", "-p tcp -m tcp --dports 1,2 -j DROP",
		"-p ipv6-icmp -m icmp6 --icmpv6-type router -j DROP", "-p no-such -j DROP", "-m conntrack --ctstate OLD -j DROP",
	} {
		if _, err := iptables.New(file("", "*filter\n-A INPUT "+rule+"\nCOMMIT\n"), nil, false); err == nil {
			t.Errorf("no error for %q", rule)
		}
	}
	for _, text := range []string{
		"create x hash:net family inet\nadd x 0.0.0.0/0\n", "create x hash:ip family inet\nadd x 10.0.0.1 nomatch\n",
		"create x hash:net family inet\nadd x fd00::/8\n", "create x hash:ip,port family inet6\nadd x 10.0.0.1,tcp:80\n", "create x hash:ip family inet5\n",
	} {
		if _, err := iptables.New(file(text, ""), nil, false); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}
