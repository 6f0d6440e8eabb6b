package xtpolicy

import (
	"fmt"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// reservedType is the type of ICMP that no rule can match: it is xtables' word for every
// type (icmp_type_code_match in net/netfilter/xt_tcpudp.c).
const reservedType = 255

// Report adds the rules about packets that xtables has no match for, each once.
func Report(list *diag.List, p *ir.Policy) {
	type finding struct{ origin, text string }
	done := make(map[finding]bool)
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					r := &t.Rules[j]
					for _, text := range unmatched(r) {
						if f := (finding{r.Origin.Object() + r.Origin.Path, text}); !done[f] {
							done[f] = true
							list.Add(diag.Approximated, r.Origin, fmt.Sprintf("%s: %s", r.Origin.Object(), text))
						}
					}
				}
			}
		}
	}
}

// What xtables has no match for, as Check says it.
const (
	ProtocolZero = "protocol 0 is iptables' word for every protocol; the rule has no effect on its packets"
	ReservedType = "ICMP type 255 is iptables' word for every type; all of its codes are treated alike"
)

// unmatched says what of a rule xtables has no match for.
func unmatched(r *ir.Rule) (out []string) {
	ranges := slices.Concat(r.Ports, r.NotPorts)
	if slices.ContainsFunc(ranges, func(x ir.PortRange) bool { return x.Protocol == 0 }) {
		out = append(out, ProtocolZero)
	}
	if slices.ContainsFunc(ranges, func(x ir.PortRange) bool {
		within := func(at uint16) bool { return at>>8 == reservedType && at&0xff != 0 }
		return x.Protocol == ir.ICMP && (within(x.First) || within(x.Last+1))
	}) {
		out = append(out, ReservedType)
	}
	return out
}
