package iptables

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Interpreter answers for the rules of both families on one node. It is safe
// for concurrent use.
type Interpreter struct {
	families map[ir.Family]*Ruleset
	own      map[netip.Addr]bool
	explain  bool
}

// New makes an interpreter. own are the node's addresses, which the kernel knows
// and the text does not; explain keeps the rules that matched as steps.
func New(v4, v6 *Ruleset, own []netip.Addr, explain bool) *Interpreter {
	i := &Interpreter{
		families: map[ir.Family]*Ruleset{ir.IPv4: v4, ir.IPv6: v6},
		own:      make(map[netip.Addr]bool, len(own)), explain: explain,
	}
	for _, a := range own {
		i.own[a] = true
	}
	return i
}

func (i *Interpreter) isLocal(a netip.Addr) bool { return a.IsLoopback() || i.own[a] }

// Eval returns what the rules do to the packet, over all of its random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	rules := i.families[ir.FamilyOf(p.Dst)]
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		m := machine{interp: i, rules: rules, packet: p, dst: p.Dst, port: p.Port, draws: d}
		m.travel()
		return m.result()
	})
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// machine is one packet on one of its possible ways.
type machine struct {
	interp *Interpreter
	rules  *Ruleset
	packet eval.Packet
	dst    netip.Addr
	port   uint16
	hook   string

	mark        uint32
	dnated      bool
	masqueraded bool
	affinity    uint32
	draws       *fate.Draws
	end         code
	depth       int
	steps       []eval.Step
}

// travel sends the packet through the hooks. A connection of the node to itself
// leaves by the loopback interface and comes back in, when its addresses have
// been translated already.
func (m *machine) travel() {
	if m.packet.From == eval.FromNode {
		if m.through("OUTPUT", "raw", "mangle", "nat", "filter") && m.through("POSTROUTING", "mangle", "nat") && m.interp.isLocal(m.dst) {
			if m.through("PREROUTING", "raw", "mangle") {
				m.through("INPUT", "mangle", "filter")
			}
		}
		return
	}
	if !m.through("PREROUTING", "raw", "mangle", "nat") {
		return
	}
	if m.interp.isLocal(m.dst) {
		m.through("INPUT", "mangle", "filter", "nat")
		return
	}
	if m.through("FORWARD", "mangle", "filter") {
		m.through("POSTROUTING", "mangle", "nat")
	}
}

// through runs the tables of a hook, and reports whether the packet goes on.
func (m *machine) through(hook string, tables ...string) bool {
	m.hook = hook
	for _, t := range tables {
		c := m.rules.tables[t][hook]
		if c == nil {
			continue
		}
		if end := m.chain(m.rules.tables[t], t, c); end == drop || end == reject {
			m.end = end
			return false
		}
	}
	return true
}

// maxDepth bounds jumps; iptables refuses loops, which a hostile text may have.
const maxDepth = 200

func (m *machine) chain(table map[string]*chain, tableName string, c *chain) code {
	m.depth++
	defer func() { m.depth-- }()
	for _, r := range c.rules {
		if !m.draws.Step() {
			return drop
		}
		if !m.matches(r) {
			continue
		}
		if m.interp.explain {
			m.steps = append(m.steps, eval.Step{Stage: "table " + tableName, Text: r.text})
		}
		if r.target.act != nil {
			r.target.act(m)
		}
		switch r.target.code {
		case accept, drop, reject:
			return r.target.code
		case giveBack:
			return goOn
		case jump, goTo:
			if m.depth > maxDepth {
				return drop
			}
			end := m.chain(table, tableName, table[r.target.chain])
			if end != goOn || r.target.code == goTo {
				return end
			}
		}
	}
	return goOn
}

func (m *machine) matches(r *rule) bool {
	for _, match := range r.matches {
		if !match(m) {
			return false
		}
	}
	return true
}

func (m *machine) result() eval.Result {
	r := eval.Result{Verdict: eval.Pass, Masquerade: m.masqueraded, Steps: m.steps}
	if m.dnated {
		r.Affinity = m.affinity
	}
	if m.dnated && (m.end == drop || m.end == reject) {
		r.Denied = []eval.Choice{{Address: netip.AddrPortFrom(m.dst, m.port), Weight: 1}}
	}
	switch {
	case m.end == drop:
		r.Verdict, r.Masquerade = eval.Drop, false
	case m.end == reject:
		r.Verdict, r.Masquerade = eval.Reject, false
	case m.dnated:
		r.Verdict = eval.DNAT
		r.Endpoints = []eval.Choice{{
			Address: netip.AddrPortFrom(m.dst, m.port), Weight: 1,
			Masquerade: m.masqueraded, Hairpin: m.dst == m.packet.Src,
		}}
	}
	return r
}
