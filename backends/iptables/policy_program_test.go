package iptables_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// peerAt is the n-th of the pods elsewhere.
func peerAt(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(128 + n>>16), byte(n >> 8), byte(n)})
}

func addressSet(id string, first, n int) ir.AddressSet {
	s := ir.AddressSet{ID: id}
	for i := range n {
		s.Addresses = append(s.Addresses, peerAt(first+i))
	}
	return s
}

func tcpUDP(port uint16) []ir.PortRange {
	return []ir.PortRange{{Protocol: ir.TCP, First: port, Last: port}, {Protocol: ir.UDP, First: port, Last: port}}
}

func policyRule(set string, ports []ir.PortRange) ir.Rule {
	return ir.Rule{Action: ir.Accept, Peers: []string{set}, Ports: ports, Origin: ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: set, Path: "spec"}}
}

func networkTier(rules ...ir.Rule) []ir.Tier {
	return []ir.Tier{{
		Kind: ir.NetworkTier, Default: ir.Deny, Rules: rules,
		Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "isolate", Path: "spec"}},
	}}
}

func policyProfile(i int, pods int) ir.Profile {
	p := ir.Profile{ID: fmt.Sprintf("shop/app-%d/1f3a9c2e", i)}
	for j := range pods {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i), byte(1 + j)})
		p.Pods = append(p.Pods, ir.Pod{Namespace: "shop", Name: fmt.Sprintf("app-%d-%d", i, j), Addresses: []netip.Addr{a}})
	}
	return p
}

// manyPolicies has 110 pods of one profile each. The first has n policies with
// 10 peers and one port of TCP and UDP each: 10 others or, if they share, the
// same ones.
func manyPolicies(n int, share bool) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Policy.OnDeny = ir.Drop
	first := policyProfile(0, 1)
	var rules []ir.Rule
	for i := range n {
		set, at := fmt.Sprintf("set-%05d", i), 10*i
		if share {
			set, at = "set-00000", 0
		}
		if i == 0 || !share {
			p.Policy.AddressSets = append(p.Policy.AddressSets, addressSet(set, at, 10))
		}
		rules = append(rules, policyRule(set, tcpUDP(uint16(1000+2*i))))
	}
	first.Egress = networkTier(rules...)
	p.Policy.Profiles = append(p.Policy.Profiles, first)
	for i := 1; i < 110; i++ {
		other := policyProfile(i, 1)
		other.Egress = networkTier(policyRule("set-00000", tcpUDP(uint16(20000+i))))
		p.Policy.Profiles = append(p.Policy.Profiles, other)
	}
	p.Normalize()
	return p
}

// manyProfiles is a large node: n profiles with policies of both directions, of
// which each names 5 of 100 sets of the cluster's 10,000 pods and a network.
func manyProfiles(n int) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Policy.OnDeny = ir.Drop
	for i := range 100 {
		p.Policy.AddressSets = append(p.Policy.AddressSets, addressSet(fmt.Sprintf("set-%05d", i), 100*i, 100))
	}
	p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{
		ID: "world", Prefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, Except: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	set := func(i int) string { return fmt.Sprintf("set-%05d", i%100) }
	for i := range n {
		profile := policyProfile(i, 1)
		profile.Ingress = networkTier(
			policyRule(set(i), tcpUDP(8080)), policyRule(set(i+7), tcpUDP(9090)), policyRule(set(i+31), []ir.PortRange{{Protocol: ir.TCP, First: 30000, Last: 32767}}),
		)
		everything := policyRule(set(i+53), nil)
		everything.AnyPort = true
		profile.Egress = networkTier(everything, policyRule(set(i+11), tcpUDP(53)), policyRule("world", []ir.PortRange{{Protocol: ir.TCP, First: 443, Last: 443}}))
		p.Policy.Profiles = append(p.Policy.Profiles, profile)
	}
	p.Normalize()
	return p
}

// policedProgram is a random program with random policies.
func policedProgram(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	return p
}

// twoPods has a pod whose egress is allowed only to port 999 and to 10.1.0.0/16,
// and a pod without any allowed egress.
func twoPods(refusal ir.Refusal) *ir.Program {
	p := &ir.Program{Node: ir.Node{
		Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}, Addresses: irtest.Addrs("192.168.9.1", "fd00:9::1"),
	}}
	p.Policy.OnDeny = refusal
	p.Policy.AddressSets = []ir.AddressSet{{ID: "near", Prefixes: irtest.Prefixes("10.1.0.0/24")}}
	near, port := policyRule("near", nil), policyRule("", []ir.PortRange{{Protocol: ir.UDP, First: 999, Last: 999}, {Protocol: ir.TCP, First: 999, Last: 999}})
	near.AnyPort, port.AnyPeer, port.Peers = true, true, nil
	p.Policy.Profiles = []ir.Profile{
		{ID: "none", Pods: []ir.Pod{{Namespace: "shop", Name: "none", Addresses: irtest.Addrs("10.1.2.1", "fd00:2::1")}}, Ingress: networkTier(), Egress: networkTier()},
		{ID: "some", Pods: []ir.Pod{{Namespace: "shop", Name: "some", Addresses: irtest.Addrs("10.1.1.1", "fd00:1::1")}}, Ingress: networkTier(), Egress: networkTier(near, port)},
	}
	p.Normalize()
	return p
}
