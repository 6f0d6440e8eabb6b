package proof

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// ipvsAssumptions are what a comparison with kube-proxy's IPVS mode takes for granted besides
// what all do.
func ipvsAssumptions() []string {
	return []string{
		"each packet is the first of its connection: later ones follow tables of IPVS, which the listings do not have",
		"packets from elsewhere have no address of kube-ipvs0 as their source",
		"a client on the node has bound an address of the node that the program knows, or none: then its source is the virtual address",
		"net.ipv4.vs.conntrack, net.ipv4.ip_forward and IPv6's forwarding are 1, as kube-proxy wants them, and net.ipv4.vs.sloppy_tcp is 0",
		"IPVS draws as its scheduler says: equal parts for rr and lc, parts by weight for the others",
	}
}

// unbound also compares what clients on the node send to addresses of IPVS's device without
// having bound an address: to the program they send from an address of the node, and in
// kube-proxy's IPVS mode from the address that they send to.
func (a *Against) unbound(c *Comparison, p *ir.Program, e *eval.Evaluator, rules *foreign.Interpreter) error {
	more := *c
	more.Got, more.Most = rules.EvalUnbound, max(c.Most, 1)-len(a.Differences)
	if more.Most <= 0 {
		return nil
	}
	r, err := more.Run(fromNode(p, e, rules))
	for i := range r.Differences {
		r.Differences[i].Reason = "the client has bound no address, and has the virtual one as its source: " + r.Differences[i].Reason
	}
	a.Boxes += r.Boxes
	a.Differences, a.More = append(a.Differences, r.Differences...), a.More || r.More
	return err
}

// fromNode are the first packets that the node sends from its addresses to those of IPVS's
// device.
func fromNode(p *ir.Program, e *eval.Evaluator, rules *foreign.Interpreter) (out []space.Box) {
	for _, ipv6 := range []bool{false, true} {
		if !rules.Has(ipv6) {
			continue
		}
		own := numbers(p.Node.Addresses, ipv6)
		bound := numbers(slices.DeleteFunc(slices.Clone(rules.Bound()), func(a netip.Addr) bool { return slices.Contains(p.Node.Addresses, a) }), ipv6)
		for _, b := range e.Space(ipv6, eval.FirstPacket) {
			if !b.Sets[space.Entry].Contains(space.N(uint64(eval.FromNode))) || own.Empty() || bound.Empty() {
				continue
			}
			b.Sets[space.Source], b.Sets[space.Destination] = own, bound
			out = append(out, b)
		}
	}
	return out
}

// numbers is the set of the addresses of a family.
func numbers(list []netip.Addr, ipv6 bool) space.Set {
	var out []space.Number
	for _, a := range list {
		if a.Is6() == ipv6 {
			out = append(out, space.Addr(a))
		}
	}
	return space.Points(out...)
}
