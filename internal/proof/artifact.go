package proof

import (
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Artifact compares an artifact with its program, for every packet of both families. It
// ends at the given number of differences.
func Artifact(p *ir.Program, b backends.Backend, a backends.Artifact, most int) (Report, error) {
	rules, err := interp.New(b.Name(), a, p.Node.Addresses, false)
	if err != nil {
		return Report{}, err
	}
	l, e := limitsOf(b.Check(p)), eval.New(p)
	o := outcomes{approximates: l.approximates, shares: true}
	c := Comparison{Want: Meaning(e), Got: rules.EvalAll, Excluded: l.excludes, Same: o.same, Most: most}
	return c.Run(without(Space(e), rules.Bound()))
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

// Meaning is the judge of a program.
func Meaning(e *eval.Evaluator) Judge {
	return func(packets *space.Packets) (eval.Result, error) { return e.EvalAll(packets), packets.Err() }
}

// Space is every first packet of a connection on the program's node, of both families.
func Space(e *eval.Evaluator) []space.Box { return append(e.Space(true), e.Space(false)...) }
