package foreign

import (
	"fmt"
	"math"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/internal/interp/virtual"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// machine is the evaluation of packets on one path.
type machine struct {
	interp  *Interpreter
	rules   *Rules
	packets *space.Packets
	draws   *fate.Draws
	// src is where the packets come from, dst and port where they go.
	src, dst, port space.Value
	hook           hook
	mark           uint32
	decided        decision
	depth          int

	dnated, masqueraded bool
	// bound are the affinities that rules have put the client into.
	bound map[*affinity]bool
	// service is the virtual service of IPVS that has given an endpoint, or nil.
	service *virtual.Service
	// fromPort is whether the packets came in by a port of a bridge, once a rule asks.
	fromPort *bool
	// seconds is how long the client stays in the affinity that it was found in.
	seconds uint32
	steps   []eval.Step
}

func (m *machine) is(f space.Field, n uint64) bool { return m.packets.Is(f, space.N(n)) }

func (m *machine) fromNode() bool { return m.is(space.Entry, uint64(eval.FromNode)) }

// first reports whether the packets are the first of their connection.
func (m *machine) first() bool { return m.is(space.State, uint64(eval.FirstPacket)) }

// local reports whether an address is the node's.
func (m *machine) local(v space.Value) bool {
	if m.packets.IPv6() {
		return m.packets.Within(v, &m.interp.own6)
	}
	return m.packets.Within(v, &m.interp.own4)
}

// inInterface is the interface on which the packets arrived, as the hook knows it.
func (m *machine) inInterface() space.Value {
	switch {
	case m.hook == output || m.hook == postrouting:
		return space.Known(space.Name(""))
	case m.fromNode():
		return space.Known(space.Name("lo"))
	}
	return space.Interface.Value()
}

// travel sends the packets through the hooks. A connection of the node to itself leaves and
// re-enters through the loopback interface.
func (m *machine) travel() eval.Result {
	switch {
	case m.interp.balancer != nil:
		return m.travelBalanced()
	case m.fromNode():
		if m.through(output, true) && m.through(postrouting, true) && m.local(m.dst) && m.through(prerouting, false) {
			m.through(input, false)
		}
	case !m.through(prerouting, true):
	case m.local(m.dst):
		m.through(input, true)
	case m.through(forward, true):
		m.through(postrouting, true)
	}
	return m.result()
}

// through runs the base chains of a hook, and reports whether the packets go on.
func (m *machine) through(h hook, nat bool) bool { return m.part(h, math.MinInt, math.MaxInt, nat) }

// part runs the base chains of a hook whose priorities are from first on and below end.
func (m *machine) part(h hook, first, end int, nat bool) bool {
	m.hook = h
	for _, c := range m.rules.hooks[h] {
		if c.priority < first || c.priority >= end {
			continue
		}
		if c.nat && (!nat || !m.first()) {
			continue // connection tracking translates the others by what it knows
		}
		d := m.chain(c)
		if d.verdict == goOn && c.drops {
			d.verdict = drop
		}
		if m.decided = d; d.verdict == drop || d.verdict == reject {
			return false
		}
	}
	return true
}

// maxDepth is nft's maximum depth of jumps (NFT_JUMP_STACK_SIZE).
const maxDepth = 16

// chain runs a chain; goOn means that the calling chain continues.
func (m *machine) chain(c *chain) decision {
	m.depth++
	defer func() { m.depth-- }()
	for i := range c.rules {
		if !m.draws.Step() {
			return decision{verdict: drop} // the evaluation ends with an error
		}
		if !m.rule(c, &c.rules[i]) {
			continue
		}
		switch d := m.decided; d.verdict {
		case accept, drop, reject:
			return d
		case giveBack:
			return decision{}
		case jump, goTo:
			if m.depth > maxDepth {
				m.packets.Fail(fmt.Errorf("chain %s is nested deeper than %d", d.chain.name, maxDepth))
				return decision{verdict: drop}
			}
			if inner := m.chain(d.chain); inner.verdict != goOn || d.verdict == goTo {
				return inner
			}
		}
	}
	return decision{}
}

// rule reports whether a rule is for the packets, and does what it says.
func (m *machine) rule(c *chain, r *rule) bool {
	m.decided = decision{}
	for _, s := range r.statements {
		if !s(m) {
			return false
		}
	}
	if m.interp.explain {
		m.steps = append(m.steps, eval.Step{Stage: "chain " + c.name, Text: r.text})
	}
	return true
}

// redirect replaces the destination.
func (m *machine) redirect(to netip.AddrPort) {
	m.dst, m.port = space.Known(space.Addr(to.Addr())), space.Known(space.N(uint64(to.Port())))
	m.dnated = true
	m.decided = decision{verdict: accept}
}

// result returns the result of one path.
func (m *machine) result() eval.Result {
	r := eval.Result{Verdict: eval.Pass, Masquerade: m.masqueraded, Steps: m.steps}
	switch m.decided.verdict {
	case drop:
		r.Verdict, r.Masquerade = eval.Drop, false
	case reject:
		r.Verdict, r.Masquerade = eval.Reject, false
	}
	if !m.dnated {
		return r
	}
	switch {
	case m.service != nil:
		r.Affinity = m.service.Persistence
	case len(m.bound) > 0:
		r.Affinity = m.keeps()
	}
	given := eval.Choice{Address: netip.AddrPortFrom(m.dst.Number.Addr(m.packets.IPv6()), uint16(m.port.Number.Lo)), Weight: 1}
	if r.Verdict != eval.Pass && m.service != nil {
		return r // no policy has refused it
	}
	if r.Verdict != eval.Pass {
		r.Denied = []eval.Choice{given}
		return r
	}
	given.Masquerade = m.masqueraded
	given.Hairpin = m.packets.Equal(m.dst, m.src)
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{given}
	return r
}

// keeps returns for how many seconds the client's next connection gets the same endpoint
// without a draw; 0 is not at all.
func (m *machine) keeps() uint32 {
	var d fate.Draws
	next := machine{interp: m.interp, rules: m.rules, packets: m.packets, src: m.src, dst: space.Destination.Value(), port: space.Port.Value(), draws: &d, bound: m.bound}
	next.hook = prerouting
	if next.fromNode() {
		next.hook = output
	}
	next.through(next.hook, true)
	if d.Drawn() || !next.dnated || next.dst != m.dst || next.port != m.port {
		return 0
	}
	return next.seconds
}

// bind puts the client into an affinity. The set is new on each path.
func (m *machine) bind(a *affinity) {
	bound := map[*affinity]bool{a: true}
	for have := range m.bound {
		bound[have] = true
	}
	m.bound = bound
}

// found reports whether the client is in an affinity.
func (m *machine) found(a *affinity) bool {
	if !m.bound[a] {
		return false
	}
	m.seconds = a.seconds
	return true
}
