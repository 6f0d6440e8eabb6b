package ebpf_test

import (
	"math/rand/v2"
	"net/netip"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// randomProgram compiles the cluster of a seed. In two of three cases it adds what
// the compiler does not produce yet: weights, SCTP, any masquerade rule with any
// route; in three of four, policies of all kinds.
func randomProgram(seed uint64) *ir.Program {
	p := randomServices(seed)
	if seed%4 != 0 {
		irtest.AddRandomPolicy(rand.New(rand.NewPCG(seed, 4)), p)
	}
	return p
}

func randomServices(seed uint64) *ir.Program {
	c := randomcluster.New(seed)
	p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	rng := rand.New(rand.NewPCG(seed, 3))
	if seed%3 == 0 {
		return p
	}
	for i := range p.Pools {
		if rng.IntN(2) == 0 {
			for j := range p.Pools[i].Endpoints {
				p.Pools[i].Endpoints[j].Weight = uint16(1 + rng.IntN(4)*rng.IntN(5000))
			}
		}
	}
	for i := range p.Frontends {
		for _, r := range []*ir.Route{&p.Frontends[i].Internal, &p.Frontends[i].External} {
			if rng.IntN(5) == 0 {
				r.Masquerade = ir.MasqueradeRules()[rng.IntN(3)]
				r.OnEmpty = ir.Refusals()[rng.IntN(2)]
			}
		}
		if rng.IntN(8) == 0 {
			p.Frontends[i].SourceRanges = someRanges(rng, p, p.Frontends[i].Match.Family)
		}
	}
	callSCTP(rng, p)
	p.Normalize()
	return p
}

// someRanges are ranges that packets of the program hit and miss.
func someRanges(rng *rand.Rand, p *ir.Program, f ir.Family) []netip.Prefix {
	var out []netip.Prefix
	for range 1 + rng.IntN(4) {
		if pool := p.Pools[rng.IntN(len(p.Pools))]; len(pool.Endpoints) > 0 {
			a := pool.Endpoints[rng.IntN(len(pool.Endpoints))].Address.Addr()
			if ir.FamilyOf(a) == f {
				out = append(out, netip.PrefixFrom(a, rng.IntN(a.BitLen()+1)))
			}
		}
	}
	return ir.DisjointPrefixes(out)
}

// callSCTP turns the UDP ports of some Services into SCTP, with equal ports in some pools
// and other ones in the rest.
func callSCTP(rng *rand.Rand, p *ir.Program) {
	same := make(map[string]uint16)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if f.Service.Protocol != ir.UDP || rng.IntN(3) != 0 {
			continue
		}
		f.Service.Protocol, f.Match.Protocol = ir.SCTP, ir.SCTP
		if rng.IntN(2) == 0 && f.Internal.Pool == f.External.Pool {
			same[f.Internal.Pool] = f.Match.Port
		}
	}
	for i := range p.Pools {
		pool := &p.Pools[i]
		for j := range pool.Endpoints {
			if port, ok := same[pool.ID]; ok {
				pool.Endpoints[j].Address = netip.AddrPortFrom(pool.Endpoints[j].Address.Addr(), port)
			}
		}
		pool.Endpoints = distinct(pool.Endpoints)
	}
}

// distinct removes endpoints with duplicate addresses.
func distinct(endpoints []ir.Endpoint) []ir.Endpoint {
	seen := make(map[netip.AddrPort]bool)
	var out []ir.Endpoint
	for _, e := range endpoints {
		if !seen[e.Address] {
			seen[e.Address] = true
			out = append(out, e)
		}
	}
	return out
}

// packetsFor makes packets from flows, with interfaces that detectors may or may
// not recognise.
func packetsFor(rng *rand.Rand, p *ir.Program, n int) []eval.Packet {
	packets := make([]eval.Packet, 0, n)
	for _, f := range testkit.RandomFlows(rng, p, n) {
		packet := eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From}
		switch f.From {
		case eval.FromPod:
			packet.Interface = []string{p.Node.Local.Interface, p.Node.Local.Interface + "7", "veth3", "cni0"}[rng.IntN(4)]
		case eval.FromOutside:
			packet.Interface = []string{"eth0", "cni0", "veth", "v"}[rng.IntN(4)]
		}
		switch rng.IntN(20) {
		case 0:
			packet.Protocol = ir.Protocols()[rng.IntN(3)]
		case 1:
			packet.Protocol, packet.Port, packet.Type = ir.ICMPv6, 0, uint8(130+rng.IntN(10))
			if packet.Dst.Is4() {
				packet.Protocol, packet.Type = ir.ICMP, 8
			}
		}
		packets = append(packets, packet)
	}
	return packets
}
