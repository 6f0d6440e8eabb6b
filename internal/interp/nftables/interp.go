package nftables

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/eval"
)

// Interpreter evaluates packets with one ruleset on one node. It is safe for
// concurrent use.
type Interpreter struct {
	ruleset *Ruleset
	own     map[netip.Addr]bool
	explain bool
}

// New returns an interpreter. own are the node's addresses, which the kernel knows
// and the text lacks. If explain is set, results contain the matching rules as steps.
func New(r *Ruleset, own []netip.Addr, explain bool) *Interpreter {
	i := &Interpreter{ruleset: r, own: make(map[netip.Addr]bool, len(own)), explain: explain}
	for _, a := range own {
		i.own[a] = true
	}
	return i
}

func (i *Interpreter) isLocal(a netip.Addr) bool { return a.IsLoopback() || i.own[a] }

func familyOf(a netip.Addr) nft.Family {
	if a.Is4() {
		return nft.IPv4
	}
	return nft.IPv6
}

// Eval returns what the rules do to the packet, over all of its random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	t := i.ruleset.tables[familyOf(p.Dst)]
	if t == nil {
		t = &table{}
	}
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		m := machine{interp: i, table: t, packet: p, dst: p.Dst, port: p.Port, draws: d}
		return m.travel()
	})
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// travel sends the packet through the hooks. A connection of the node to itself
// leaves and re-enters through the loopback interface.
func (m *machine) travel() eval.Result {
	switch {
	case m.packet.From == eval.FromNode:
		if m.hook(nft.Output, true) && m.hook(nft.Postrouting, true) && m.interp.isLocal(m.dst) && m.hook(nft.Prerouting, false) {
			m.hook(nft.Input, true)
		}
	case !m.hook(nft.Prerouting, true):
	case m.interp.isLocal(m.dst):
		m.hook(nft.Input, true)
	case m.hook(nft.Forward, true):
		m.hook(nft.Postrouting, true)
	}
	return m.result()
}

// result returns the result of one path.
func (m *machine) result() eval.Result {
	r := eval.Result{Verdict: eval.Pass, Masquerade: m.masqueraded, Steps: m.steps, Logs: m.logs}
	switch m.decided.verdict {
	case nft.Drop:
		r.Verdict, r.Masquerade = eval.Drop, false
	case nft.Reject:
		r.Verdict, r.Masquerade = eval.Reject, false
	}
	if !m.dnated {
		return r
	}
	r.Affinity = uint32(m.affinity.Seconds())
	given := eval.Choice{Address: netip.AddrPortFrom(m.dst, m.port), Weight: 1}
	if r.Verdict != eval.Pass {
		r.Denied = []eval.Choice{given}
		return r
	}
	given.Masquerade, given.Hairpin = m.masqueraded, m.dst == m.packet.Src
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{given}
	return r
}
