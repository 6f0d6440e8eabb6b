package nftables

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates packets with one ruleset on one node. It is safe for
// concurrent use.
type Interpreter struct {
	ruleset *Ruleset
	// own4 and own6 are the node's addresses, with loopback ones.
	own4, own6 space.Set
	explain    bool
	composed   composed
}

// New returns an interpreter. own are the node's addresses, which the kernel knows
// and the text lacks. If explain is set, results contain the matching rules as steps.
func New(r *Ruleset, own []netip.Addr, explain bool) *Interpreter {
	own4, own6 := space.Own(own)
	return &Interpreter{ruleset: r, own4: own4, own6: own6, explain: explain}
}

// Eval returns what the rules do to the packet, over all of its random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	r, err := i.EvalAll(space.New(p.Box()))
	if err != nil {
		return r, fmt.Errorf("%v: %w", p, err)
	}
	return r, nil
}

// EvalAll returns what the rules do to every packet of what is left of the box, over all
// random draws.
func (i *Interpreter) EvalAll(p *space.Packets) (eval.Result, error) {
	t := i.ruleset.tables[nft.IPv4]
	if p.IPv6() {
		t = i.ruleset.tables[nft.IPv6]
	}
	if t == nil {
		t = &table{}
	}
	r, err := fate.Explore(func(d *fate.Draws) eval.Result {
		m := machine{interp: i, table: t, packets: p, dst: space.Destination.Value(), port: space.Port.Value(), draws: d}
		return m.travel()
	})
	return r, errors.Join(err, p.Err())
}

// Bound is nothing: rules give the node no addresses.
func (i *Interpreter) Bound() []netip.Addr { return nil }

// travel sends the packet through the hooks. A connection of the node to itself
// leaves and re-enters through the loopback interface.
func (m *machine) travel() eval.Result {
	switch {
	case m.packets.Is(space.Entry, space.N(uint64(eval.FromNode))):
		if m.hook(nft.Output, true) && m.hook(nft.Postrouting, true) && m.local(m.dst) && m.hook(nft.Prerouting, false) {
			m.hook(nft.Input, true)
		}
	case !m.hook(nft.Prerouting, true):
	case m.local(m.dst):
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
	if m.affinity > 0 && m.keeps() {
		r.Affinity = uint32(m.affinity.Seconds())
	}
	to := netip.AddrPortFrom(m.dst.Number.Addr(m.packets.IPv6()), uint16(m.port.Number.Lo))
	given := eval.Choice{Address: to, Weight: 1, Binding: m.binding}
	if r.Verdict != eval.Pass {
		r.Denied = []eval.Choice{given}
		return r
	}
	given.Masquerade = m.masqueraded
	given.Hairpin = m.interp.explain && m.packets.Equal(m.dst, space.Source.Value())
	r.Verdict, r.Endpoints = eval.DNAT, []eval.Choice{given}
	return r
}

// keeps reports whether the next connection of the same client gets the same endpoint, with
// what rules have put into maps for this one, without a draw, and for as long again; and
// whether it is this client's alone.
func (m *machine) keeps() bool {
	switch {
	case m.again:
		return true
	case !m.ofClient:
		return false
	}
	var d fate.Draws
	next := machine{interp: m.interp, table: m.table, packets: m.packets, dst: space.Destination.Value(), port: space.Port.Value(), draws: &d, filled: m.filled, again: true}
	next.travel()
	return !d.Drawn() && next.dnated && next.dst == m.dst && next.port == m.port && next.affinity == m.affinity
}
