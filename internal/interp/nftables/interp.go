package nftables

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Interpreter answers for one ruleset on one node. It is safe for concurrent
// use.
type Interpreter struct {
	ruleset *Ruleset
	own     map[netip.Addr]bool
	explain bool
}

// New makes an interpreter. own are the node's addresses, which the kernel knows
// and the text does not; explain keeps the rules that matched as steps.
func New(r *Ruleset, own []netip.Addr, explain bool) *Interpreter {
	i := &Interpreter{ruleset: r, own: make(map[netip.Addr]bool, len(own)), explain: explain}
	for _, a := range own {
		i.own[a] = true
	}
	return i
}

func (i *Interpreter) isLocal(a netip.Addr) bool { return a.IsLoopback() || i.own[a] }

// maxWays bounds how many ways a packet's random draws may open.
const maxWays = 1 << 16

// Eval returns what the rules do to the packet, over all of its random draws.
func (i *Interpreter) Eval(p eval.Packet) (eval.Result, error) {
	t := i.ruleset.tables[ir.FamilyOf(p.Dst)]
	if t == nil {
		t = &table{}
	}
	var out eval.Result
	var draws []draw
	for way := range maxWays {
		m := machine{interp: i, table: t, packet: p, dst: p.Dst, port: p.Port, draws: draws}
		result := m.travel()
		if way == 0 {
			out = result
		} else if err := merge(&out, result); err != nil {
			return out, fmt.Errorf("%v: %w", p, err)
		}
		if draws = nextDraws(m.draws[:m.drawn]); draws == nil {
			finish(&out)
			return out, nil
		}
	}
	return out, fmt.Errorf("%v: more than %d ways", p, maxWays)
}

// nextDraws counts the last draw up, and those before it when it is through; nil
// is the end.
func nextDraws(draws []draw) []draw {
	for n := len(draws) - 1; n >= 0; n-- {
		if draws[n].value+1 < draws[n].modulus {
			draws[n].value++
			return draws[:n+1]
		}
	}
	return nil
}

// travel sends the packet through the hooks. A connection of the node to itself
// leaves by the loopback interface and comes back in.
func (m *machine) travel() eval.Result {
	if m.packet.From == eval.FromNode {
		if !m.hook("output", true) {
			return m.result()
		}
		if !m.hook("postrouting", true) {
			return m.result()
		}
		if m.interp.isLocal(m.dst) && m.hook("prerouting", false) {
			m.hook("input", true)
		}
		return m.result()
	}
	if !m.hook("prerouting", true) {
		return m.result()
	}
	if m.interp.isLocal(m.dst) {
		m.hook("input", true)
		return m.result()
	}
	if m.hook("forward", true) {
		m.hook("postrouting", true)
	}
	return m.result()
}

// result is the fate of one way.
func (m *machine) result() eval.Result {
	r := eval.Result{Verdict: eval.Pass, Masquerade: m.masqueraded, Steps: m.steps}
	switch {
	case m.verdict.code == drop:
		r.Verdict, r.Masquerade = eval.Drop, false
	case m.verdict.code == reject:
		r.Verdict, r.Masquerade = eval.Reject, false
	case m.dnated:
		r.Verdict = eval.DNAT
		r.Affinity = uint32(m.affinity.Seconds())
		addr := netip.AddrPortFrom(m.dst, m.port)
		r.Endpoints = []eval.Choice{{Address: addr, Weight: 1, Masquerade: m.masqueraded, Hairpin: m.dst == m.packet.Src}}
	}
	return r
}

// merge adds another way's result. Ways differ in the endpoint only; rules where
// a random number decides the verdict are not rules of a program.
func merge(out *eval.Result, r eval.Result) error {
	if out.Verdict != r.Verdict || out.Affinity != r.Affinity {
		return fmt.Errorf("the verdict is a matter of chance: %v or %v", out.Verdict, r.Verdict)
	}
	if r.Verdict == eval.DNAT {
		out.Endpoints = append(out.Endpoints, r.Endpoints...)
	}
	return nil
}

// finish joins ways to the same endpoint and sorts.
func finish(r *eval.Result) {
	if r.Verdict != eval.DNAT {
		return
	}
	slices.SortFunc(r.Endpoints, func(a, b eval.Choice) int { return a.Address.Compare(b.Address) })
	kept := r.Endpoints[:0]
	all := true
	for _, c := range r.Endpoints {
		all = all && c.Masquerade
		if n := len(kept); n > 0 && kept[n-1].Address == c.Address {
			kept[n-1].Weight++
			continue
		}
		kept = append(kept, c)
	}
	r.Endpoints, r.Masquerade = kept, all
}
