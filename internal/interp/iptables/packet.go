package iptables

import (
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Packet is a packet on one of its ways through the hooks.
type Packet struct {
	eval.Packet
	// To is where it goes now.
	To netip.AddrPort
	// Mark is its mark.
	Mark uint32
	// Balanced is whether IPVS has given it an endpoint.
	Balanced bool
	// Masqueraded is whether it gets the node's source address.
	Masqueraded bool
	// Steps are the rules that it met, where they are kept.
	Steps []eval.Step

	interp   *Interpreter
	tables   tables
	draws    *fate.Draws
	hook     string
	dnated   bool
	affinity uint32
	// end is drop or reject once it was refused, by the rule last.
	end  code
	last *rule
}

// Local is the kernel's question whether an address is the node's.
func (p *Packet) Local(a netip.Addr) bool { return a.IsLoopback() || p.interp.own[a] }

// Random returns a number below n, which must not be 0; over all ways it is every
// one.
func (p *Packet) Random(n uint32) uint32 { return p.draws.Random(n) }

// mostSteps is how many steps are kept: chains can be written that lead a packet to
// one rule millions of times.
const mostSteps = 1 << 12

// Explain keeps a step.
func (p *Packet) Explain(stage, text string) {
	if p.interp.explain && len(p.Steps) < mostSteps {
		p.Steps = append(p.Steps, eval.Step{Stage: stage, Text: text})
	}
}

// Through runs tables of a hook, and reports whether the packet goes on.
func (p *Packet) Through(hook string, names ...string) bool {
	p.hook = hook
	for _, name := range names {
		if end := p.chain(p.tables[name][hook]); end == drop || end == reject {
			p.end = end
			return false
		}
	}
	return true
}

// Leave runs what is behind the routing of a packet that leaves the node.
func (p *Packet) Leave() bool { return p.Through("POSTROUTING", "mangle", "nat") }

// Return lets a packet of the node come in again from its loopback interface. Its
// connection has its addresses, so that the table nat is not asked.
func (p *Packet) Return() bool {
	return p.Through("PREROUTING", "mangle") && p.Through("INPUT", "mangle", "filter")
}

// inInterface is the one that the packet came in by; hooks of packets that leave
// know none.
func (p *Packet) inInterface() string {
	switch {
	case p.hook == "OUTPUT" || p.hook == "POSTROUTING":
		return ""
	case p.From == eval.FromNode:
		return "lo"
	}
	return p.Interface
}

// addr is the packet's source or, as it is now, its destination.
func (p *Packet) addr(source bool) netip.Addr {
	if source {
		return p.Src
	}
	return p.To.Addr()
}

// chain runs one chain; goOn means that its caller goes on.
func (p *Packet) chain(c *chain) code {
	for _, r := range c.rules {
		if !p.draws.Step() {
			return drop // and the packet's way ends in an error
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
	for _, m := range r.matches {
		if !m(p) {
			return false
		}
	}
	return true
}

// RefusedByPair reports whether the rule that refused the packet asked a set of
// pairs: of two addresses, with a port.
func (p *Packet) RefusedByPair() bool {
	return (p.end == drop || p.end == reject) && p.last != nil && p.last.pairs
}

// InPairs reports whether a set of pairs has the packet's destination and source.
func (p *Packet) InPairs() bool {
	for _, s := range p.interp.sets {
		if s.kind != pairs || s.family != ir.FamilyOf(p.Src) {
			continue
		}
		if _, found := s.lookup(p, []bool{false, false, true}); found {
			return true
		}
	}
	return false
}

// Verdict is what the rules decided: whether the packet was refused.
func (p *Packet) Verdict() eval.Verdict {
	switch p.end {
	case drop:
		return eval.Drop
	case reject:
		return eval.Reject
	}
	return eval.Pass
}

// Passed is the result of a packet that was given no endpoint.
func (p *Packet) Passed() eval.Result {
	v := p.Verdict()
	return eval.Result{Verdict: v, Masquerade: p.Masqueraded && v == eval.Pass, Steps: p.Steps}
}

func (p *Packet) result() eval.Result {
	r := p.Passed()
	if !p.dnated {
		return r
	}
	r.Affinity = p.affinity
	c := eval.Choice{Address: p.To, Weight: 1}
	if r.Verdict != eval.Pass {
		r.Denied = []eval.Choice{c}
		return r
	}
	c.Masquerade, c.Hairpin = p.Masqueraded, p.To.Addr() == p.Src
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{c}
	return r
}
