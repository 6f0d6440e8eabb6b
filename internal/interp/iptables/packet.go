package iptables

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Packet is packets that are evaluated together, on one of their paths through the hooks.
type Packet struct {
	*space.Packets
	// to and port are the current destination.
	to, port space.Value
	// Mark is the packet's mark.
	Mark uint32
	// Balanced is whether IPVS has selected an endpoint.
	Balanced bool
	// Masqueraded is whether the packet gets the node's source address.
	Masqueraded bool
	// Steps are the matching rules, if they are recorded.
	Steps []eval.Step

	interp   *Interpreter
	tables   tables
	draws    *fate.Draws
	hook     string
	dnated   bool
	affinity uint32
	// bound are the keys that rules have added to sets, and again is whether the client has
	// connected before.
	bound map[*set][]space.Value
	again bool
	// binding names what binds the client to its endpoint, ofClient says whether it tells
	// clients apart, and stale that its time does not begin again.
	binding         string
	ofClient, stale bool
	// end is drop or reject once the rule last has refused the packet.
	end  code
	last *rule
	// logs are the prefixes with which rules logged the packet.
	logs []string
}

// FromNode reports whether the node sent the packet.
func (p *Packet) FromNode() bool { return p.Is(space.Entry, space.N(uint64(eval.FromNode))) }

// ToLocal reports whether the packet goes to the node itself.
func (p *Packet) ToLocal() bool { return p.local(p.to) }

// local reports whether an address belongs to the node, as the kernel would.
func (p *Packet) local(v space.Value) bool {
	if p.IPv6() {
		return p.Within(v, &p.interp.own6)
	}
	return p.Within(v, &p.interp.own4)
}

// To returns the current destination.
func (p *Packet) To() (addr, port space.Value) { return p.to, p.port }

// Redirect changes the destination.
func (p *Packet) Redirect(to netip.AddrPort) {
	p.to, p.port = space.Known(space.Addr(to.Addr())), space.Known(space.N(uint64(to.Port())))
}

// ToSource reports whether the packet goes to its own source.
func (p *Packet) ToSource() bool { return p.Equal(p.to, space.Source.Value()) }

// Random returns a number below n, which must not be 0. Over all paths, it returns
// every such number.
func (p *Packet) Random(n uint32) uint32 { return p.draws.Random(n) }

// Weighted returns an index of the parts, whose sum is 1. Over all paths, it returns every
// index.
func (p *Packet) Weighted(parts []float64) uint32 { return p.draws.Weighted(parts) }

// mostSteps is the maximum number of recorded steps: rules can lead a packet to
// one rule millions of times.
const mostSteps = 1 << 12

// Explain records a step.
func (p *Packet) Explain(stage, text string) {
	if p.interp.explain && len(p.Steps) < mostSteps {
		p.Steps = append(p.Steps, eval.Step{Stage: stage, Text: text})
	}
}

// Through runs the tables of a hook, and reports whether the packet continues.
func (p *Packet) Through(hook string, names ...string) bool {
	p.hook = hook
	for _, name := range names {
		if name == "nat" && !p.Is(space.State, space.N(uint64(eval.FirstPacket))) {
			continue // connection tracking translates the others by what it knows
		}
		if end := p.chain(p.tables[name][hook]); end == drop || end == reject {
			p.end = end
			return false
		}
	}
	return true
}

// Leave runs the hooks after routing for a packet that leaves the node.
func (p *Packet) Leave() bool { return p.Through("POSTROUTING", "mangle", "nat") }

// Return re-enters a packet of the node from the loopback interface. The
// connection is already translated, so the nat table is skipped.
func (p *Packet) Return() bool {
	return p.Through("PREROUTING", "mangle") && p.Through("INPUT", "mangle", "filter")
}

// inInterface returns the interface that received the packet; "" in hooks of
// leaving packets.
func (p *Packet) inInterface() space.Value {
	switch {
	case p.hook == "OUTPUT" || p.hook == "POSTROUTING":
		return space.Known(space.Name(""))
	case p.FromNode():
		return space.Known(space.Name("lo"))
	}
	return space.Interface.Value()
}

// of reports whether the packet is of the protocol.
func (p *Packet) of(proto ir.Protocol) bool { return p.Is(space.Protocol, space.N(uint64(proto))) }

// addr returns the packet's source or its current destination.
func (p *Packet) addr(source bool) space.Value {
	if source {
		return space.Source.Value()
	}
	return p.to
}

// chain runs a chain; goOn means that the calling chain continues.
func (p *Packet) chain(c *chain) code {
	for _, r := range c.rules {
		if !p.draws.Step() {
			return drop // the evaluation ends with an error
		}
		if !p.matches(r) {
			continue
		}
		p.Explain("table "+c.table, r.text)
		if r.act != nil {
			r.act(p)
		}
		switch {
		case r.code == giveBack:
			return goOn
		case r.leads != nil:
			if end := p.chain(r.leads); end != goOn || r.isGoto {
				return end
			}
		case r.code != goOn:
			p.last = r
			return r.code
		}
	}
	return goOn
}

func (p *Packet) matches(r *rule) bool {
	return !slices.ContainsFunc(r.matches, func(m match) bool { return !m(p) })
}

// RefusedByPair reports whether the rule that refused the packet matched a set of
// pairs: two addresses and a port.
func (p *Packet) RefusedByPair() bool {
	return (p.end == drop || p.end == reject) && p.last != nil && p.last.pairs
}

// InPairs reports whether a set of pairs contains the packet's destination and source.
func (p *Packet) InPairs() bool {
	for _, s := range p.interp.sets {
		if s.kind != pairs || (s.family == ir.IPv6) != p.IPv6() {
			continue
		}
		if _, found := s.lookup(p, []bool{false, false, true}); found {
			return true
		}
	}
	return false
}

// Verdict returns Drop or Reject if the packet was refused, otherwise Pass.
func (p *Packet) Verdict() eval.Verdict {
	switch p.end {
	case drop:
		return eval.Drop
	case reject:
		return eval.Reject
	}
	return eval.Pass
}

// Passed returns the result of a packet without an endpoint.
func (p *Packet) Passed() eval.Result {
	v := p.Verdict()
	return eval.Result{Verdict: v, Masquerade: p.Masqueraded && v == eval.Pass, Steps: p.Steps, Logs: p.logs}
}

func (p *Packet) result() eval.Result {
	r := p.Passed()
	if !p.dnated {
		return r
	}
	if p.affinity > 0 && p.keeps() {
		r.Affinity = p.affinity
	}
	c := eval.Choice{Address: netip.AddrPortFrom(p.to.Number.Addr(p.IPv6()), uint16(p.port.Number.Lo)), Weight: 1, Binding: p.binding}
	if r.Verdict != eval.Pass {
		r.Denied = []eval.Choice{c}
		return r
	}
	c.Masquerade, c.Hairpin = p.Masqueraded, p.interp.explain && p.ToSource()
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{c}
	return r
}

// keeps reports whether the next connection of the same client gets the same endpoint, with
// the sets that rules have added this one to, without a draw, and for as long again; and
// whether it is this client's alone.
func (p *Packet) keeps() bool {
	switch {
	case p.again:
		return true
	case !p.ofClient:
		return false
	}
	var d fate.Draws
	next := Packet{Packets: p.Packets, to: space.Destination.Value(), port: space.Port.Value(), interp: p.interp, tables: p.tables, draws: &d, bound: p.bound, again: true}
	travel(&next)
	return !d.Drawn() && next.dnated && next.to == p.to && next.port == p.port && next.affinity == p.affinity && !next.stale
}
