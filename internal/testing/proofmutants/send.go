package proofmutants

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Flow returns a flow with a packet of the box, from one of the places that a rig of the
// program has, or false.
func Flow(rng *rand.Rand, p *ir.Program, b *space.Box) (testkit.Flow, bool) {
	for _, f := range testkit.RandomFlows(rng, p, 400) {
		if f.Dst.Is4() == b.IPv6 || f.From == eval.FromNode && !f.Src.IsValid() {
			continue
		}
		f = moved(f, p, b)
		if Contains(b, RigPacket(f, p)) && sendable(f, p) {
			return f, true
		}
	}
	return testkit.Flow{}, false
}

// RigPacket returns the packet of a flow with the name of the interface that the first
// pod, or the uplink, of a rig has.
func RigPacket(f testkit.Flow, p *ir.Program) eval.Packet {
	packet, d := f.Packet(), p.Node.Local
	switch {
	case f.From == eval.FromOutside:
		packet.Interface = "eth0"
		if d.Interface != "" && strings.HasPrefix("eth0", d.Interface) {
			packet.Interface = "wan0"
		}
	case f.From == eval.FromPod && d.Mode == ir.DetectInterface:
		packet.Interface = d.Interface
	case f.From == eval.FromPod && d.Mode == ir.DetectInterfacePrefix:
		packet.Interface = d.Interface + "0"
	case f.From == eval.FromPod:
		packet.Interface = "veth0"
	}
	return packet
}

// moved gives a flow the box's lowest values where its own are not in the box.
func moved(f testkit.Flow, p *ir.Program, b *space.Box) testkit.Flow {
	at := valuesOf(RigPacket(f, p))
	out := func(field space.Field) bool { return !b.Sets[field].Contains(at[field]) }
	least := func(field space.Field) space.Number { return b.Sets[field].Least() }
	if out(space.Protocol) {
		f.Protocol = ir.Protocol(least(space.Protocol).Lo)
	}
	if out(space.Port) {
		f.Port = uint16(max(1, least(space.Port).Lo))
	}
	if n := least(space.SourcePort).Lo; n != 0 {
		f.SourcePort = uint16(n)
	}
	if out(space.Destination) {
		f.Dst = least(space.Destination).Addr(b.IPv6)
	}
	if out(space.Source) && f.From != eval.FromNode {
		f.Src = least(space.Source).Addr(b.IPv6)
	}
	return f
}

// sendable reports whether a rig can send the flow, and nothing but rules decides about it.
func sendable(f testkit.Flow, p *ir.Program) bool {
	own := slices.Contains(p.Node.Addresses, f.Src)
	service := slices.Contains(p.ClusterIPs, f.Src) || slices.ContainsFunc(p.Frontends, func(x ir.Frontend) bool { return x.Match.Address == f.Src })
	return f.Protocol.HasPorts() && f.Port > 0 && plain(f.Dst) && plain(f.Src) && own == (f.From == eval.FromNode) && !service &&
		(f.From != eval.FromOutside || !isPod(p, f.Src)) && f.Src != f.Dst
}

// isPod reports whether a rig has a pod with the address.
func isPod(p *ir.Program, a netip.Addr) bool {
	return slices.Contains(testkit.SpecFor(p, nil).Pods, a)
}

// plain reports whether an address may be any host's.
func plain(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return a.IsGlobalUnicast() && b[0] != 0 && b[0] < 224 && b[3] != 0 && b[3] != 255
	}
	return a.IsGlobalUnicast() && !a.IsLinkLocalUnicast()
}

// Contains reports whether the box has the packet.
func Contains(b *space.Box, p eval.Packet) bool {
	values := valuesOf(p)
	return b.IPv6 == p.Dst.Is6() && b.Contains(&values)
}

func valuesOf(p eval.Packet) (values [space.Fields]space.Number) {
	b := p.Box()
	for f := range b.Sets {
		values[f] = b.Sets[f].Least()
	}
	return values
}

// outcome is what a client of a connection can see.
type outcome struct {
	verdict    eval.Verdict // Pass if it is answered
	endpoint   netip.AddrPort
	masquerade bool
}

// TellsApart reports whether one connection shows which of two results it had: no
// outcome is one of both.
func TellsApart(p *ir.Program, f testkit.Flow, a, b eval.Result) bool {
	own := slices.Contains(p.Node.Addresses, f.Src)
	first := outcomes(f, a, own)
	return !slices.ContainsFunc(outcomes(f, b, own), func(o outcome) bool { return slices.Contains(first, o) })
}

// outcomes are all that may happen. What the node sends has the node's address anyway.
func outcomes(f testkit.Flow, r eval.Result, own bool) []outcome {
	switch r.Verdict {
	case eval.Drop, eval.Reject:
		return []outcome{{verdict: r.Verdict}}
	case eval.Pass:
		return []outcome{{eval.Pass, f.Destination(), r.Masquerade && !own}}
	}
	var out []outcome
	for _, c := range r.Endpoints {
		out = append(out, outcome{eval.Pass, c.Address, c.Masquerade && !own})
	}
	if len(r.Denied) > 0 {
		out = append(out, outcome{verdict: eval.Drop}, outcome{verdict: eval.Reject})
	}
	return out
}

// Reachable reports whether every endpoint of a result is one of a host that a rig has.
func Reachable(r eval.Result) bool {
	return !slices.ContainsFunc(slices.Concat(r.Endpoints, r.Denied), func(c eval.Choice) bool { return !plain(c.Address.Addr()) || c.Address.Port() == 0 })
}
