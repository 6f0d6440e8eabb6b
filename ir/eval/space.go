package eval

import (
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// Box returns the set of the one packet.
func (p Packet) Box() space.Box {
	b := space.Box{IPv6: !p.Dst.Is4()}
	for f := range b.Sets {
		b.Sets[f] = space.Point(space.N(0))
	}
	set := func(f space.Field, n uint64) {
		if n != 0 {
			b.Sets[f] = space.Point(space.N(n))
		}
	}
	set(space.Entry, uint64(p.From))
	set(space.Protocol, uint64(p.Protocol))
	set(space.Port, uint64(p.Port))
	set(space.SourcePort, uint64(p.SourcePort))
	set(space.Type, uint64(ir.TypeAndCode(p.Type, p.Code)))
	if p.Midstream {
		set(space.Midstream, 1)
	}
	set(space.State, uint64(p.State))
	b.Sets[space.Interface] = space.Point(space.Name(p.Interface))
	// The node's packet has no source if the node has no known address of the family.
	if p.Src.IsValid() {
		b.Sets[space.Source] = space.Point(space.Addr(p.Src))
	}
	b.Sets[space.Destination] = space.Point(space.Addr(p.Dst))
	return b
}

// nameIn returns a name of an interface in a set: "eth0" if it is there, else a short one. A
// number is a name only if no zero byte is before another byte.
func nameIn(s *space.Set) string {
	if s.Contains(space.Name("eth0")) {
		return "eth0"
	}
	list, _ := s.Intervals()
	for _, i := range list {
		for _, name := range []string{i.First.Name(), i.First.Name() + "0", i.First.Name() + "a"} {
			if len(name) <= space.MaxName && s.Contains(space.Name(name)) {
				return name
			}
		}
	}
	return s.Least().Name()
}

// Representative returns the lowest packet of a box.
func Representative(b *space.Box) Packet {
	n := func(f space.Field) uint64 { return b.Sets[f].Least().Lo }
	t := n(space.Type)
	return Packet{
		Src: b.Sets[space.Source].Least().Addr(b.IPv6), Dst: b.Sets[space.Destination].Least().Addr(b.IPv6),
		Protocol: ir.Protocol(n(space.Protocol)), Port: uint16(n(space.Port)), SourcePort: uint16(n(space.SourcePort)),
		Type: uint8(t >> 8), Code: uint8(t), From: Entry(n(space.Entry)),
		Interface: nameIn(&b.Sets[space.Interface]), Midstream: n(space.Midstream) == 1,
		State: State(n(space.State)),
	}
}

// States returns all states.
func States() []State { return []State{FirstPacket, Established, Related, Invalid} }

// Widest returns the box with every value that the fields of a packet of a protocol like
// the box's may have.
func Widest(b *space.Box) space.Box {
	e := Evaluator{ipv4: scope{own: space.Every(32)}, ipv6: scope{own: space.Every(128)}}
	for _, w := range e.Space(b.IPv6, States()...) {
		if w.Sets[space.Entry].Contains(b.Sets[space.Entry].Least()) && w.Sets[space.Protocol].Contains(b.Sets[space.Protocol].Least()) {
			return w
		}
	}
	return *b
}

// multicast are the addresses that are never a source (RFC 1122, RFC 4291).
var multicast = map[bool]netip.Prefix{false: netip.MustParsePrefix("224.0.0.0/4"), true: netip.MustParsePrefix("ff00::/8")}

// Space returns all packets of one family in the given states, as disjoint boxes: from
// every sender, to every address, of every protocol. Sources are neither multicast nor
// loopback addresses, which kernels drop (ip_route_input_slow, ip6_rcv_core); those of the
// node are its own addresses; and ICMP is that of the family.
func (e *Evaluator) Space(ipv6 bool, states ...State) []space.Box {
	zero, every := space.Point(space.N(0)), space.Every(16)
	addresses, icmp, other := space.Every(32), ir.ICMP, ir.ICMPv6
	if ipv6 {
		addresses, icmp, other = space.Every(128), other, icmp
	}
	notSource := space.Of(space.Prefix(multicast[ipv6]), space.Prefix(loopback[family(ipv6)]))
	_, sources := addresses.Split(&notSource)
	own, known := e.ipv4.own, make([]space.Number, len(states))
	for i, s := range states {
		known[i] = space.N(uint64(s))
	}
	if ipv6 {
		own = e.ipv6.own
	}
	var out []space.Box
	for _, at := range entries(sources, own) {
		b := space.Box{IPv6: ipv6}
		for f := range b.Sets {
			b.Sets[f] = zero
		}
		b.Sets[space.Entry], b.Sets[space.Interface], b.Sets[space.State] = at.entry, at.names, space.Points(known...)
		b.Sets[space.Source], b.Sets[space.Destination] = at.sources, addresses
		for _, proto := range ir.Protocols() {
			c := b
			c.Sets[space.Protocol] = space.Point(space.N(uint64(proto)))
			c.Sets[space.Port], c.Sets[space.SourcePort] = every, every
			if proto == ir.TCP {
				c.Sets[space.Midstream] = space.Every(1)
			}
			out = append(out, c)
		}
		c := b
		c.Sets[space.Protocol], c.Sets[space.Type] = space.Point(space.N(uint64(icmp))), every
		b.Sets[space.Protocol] = others(icmp, other)
		out = append(out, b, c)
	}
	return out
}

func family(ipv6 bool) ir.Family {
	if ipv6 {
		return ir.IPv6
	}
	return ir.IPv4
}

// others are the protocols without ports and types.
func others(icmp ...ir.Protocol) space.Set {
	var have []space.Number
	for _, p := range append(ir.Protocols(), icmp...) {
		have = append(have, space.N(uint64(p)))
	}
	not := space.Points(have...)
	_, out := space.Every(8).Split(&not)
	return out
}

// arrival is from where packets may come, and through which interfaces.
type arrival struct{ entry, names, sources space.Set }

func entries(sources, own space.Set) []arrival {
	nothing := space.Point(space.Name(""))
	_, names := space.Of(space.Names("")).Split(&nothing)
	return []arrival{
		{space.Points(space.N(uint64(FromPod)), space.N(uint64(FromOutside))), names, sources},
		{space.Point(space.N(uint64(FromNode))), nothing, own},
	}
}
