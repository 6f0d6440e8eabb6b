package proof

import (
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Artifact compares the files of a backend with a program, for every packet of both
// families. It ends at the given number of differences; in each of them, both results have
// their steps. An error says that the files cannot be read or judged, so nothing is shown.
func Artifact(p *ir.Program, b backends.Backend, a backends.Artifact, most int) (Report, error) {
	rules, err := interp.New(b.Name(), a, p.Node.Addresses, false)
	if err != nil {
		return Report{}, err
	}
	l, e := limitsOf(b.Check(p)), eval.New(p)
	o := outcomes{approximates: l.approximates, logsOtherwise: l.logsOtherwise, shares: true}
	c := Comparison{Want: Meaning(e), Got: rules.EvalAll, Excluded: l.excludes, Same: o.same, Bindings: new(Bindings), Most: most}
	report, err := c.Run(without(Space(e, statesOf(b.Name())...), rules.Bound()))
	report.Limits = l.texts
	if err != nil || len(report.Differences) == 0 {
		return report, err
	}
	return report, explain(&report, e, b, a, p)
}

// explain evaluates the packets of differences alone, with steps.
func explain(r *Report, e *eval.Evaluator, b backends.Backend, a backends.Artifact, p *ir.Program) error {
	rules, err := interp.New(b.Name(), a, p.Node.Addresses, true)
	if err != nil {
		return err
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		d.Want = e.Eval(d.Packet)
		got, err := rules.Eval(d.Packet)
		if err == nil {
			d.Got = got
		}
	}
	return nil
}

// Meaning is the judge of a program.
func Meaning(e *eval.Evaluator) Judge {
	return func(packets *space.Packets) (eval.Result, error) { return e.EvalAll(packets), packets.Err() }
}

// Space is every packet in the states on the program's node, of both families.
func Space(e *eval.Evaluator, states ...eval.State) []space.Box {
	return append(e.Space(true, states...), e.Space(false, states...)...)
}

// statesOf are the states of connections that the files of a backend decide about. Without
// rules for packets, the programs and IPVS follow known connections by tables of their own.
func statesOf(backend string) []eval.State {
	if backend == "nftables" || backend == "iptables" {
		return eval.States()
	}
	return []eval.State{eval.FirstPacket}
}

// without leaves out packets from elsewhere whose source is one of the addresses.
func without(boxes []space.Box, bound []netip.Addr) []space.Box {
	var four, six []space.Number
	for _, a := range bound {
		if a.Is4() {
			four = append(four, space.Addr(a))
		} else {
			six = append(six, space.Addr(a))
		}
	}
	sets := map[bool]space.Set{false: space.Points(four...), true: space.Points(six...)}
	var out []space.Box
	for _, b := range boxes {
		if set := sets[b.IPv6]; !b.Sets[space.Entry].Contains(space.N(uint64(eval.FromNode))) {
			_, b.Sets[space.Source] = b.Sets[space.Source].Split(&set)
		}
		out = append(out, b)
	}
	return out
}
