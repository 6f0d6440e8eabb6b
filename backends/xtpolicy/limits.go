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

// unmatched says what of a rule xtables has no match for.
func unmatched(r *ir.Rule) (out []string) {
	ranges := slices.Concat(r.Ports, r.NotPorts)
	if slices.ContainsFunc(ranges, func(x ir.PortRange) bool { return x.Protocol == 0 }) {
		out = append(out, "protocol 0 is iptables' word for every protocol; the rule has no effect on its packets")
	}
	if slices.ContainsFunc(ranges, func(x ir.PortRange) bool {
		return x.Protocol == ir.ICMP && !x.Every() && x.Last>>8 == reservedType
	}) {
		out = append(out, "ICMP type 255 is iptables' word for every type; its packets are treated as those of most other types")
	}
	return out
}
