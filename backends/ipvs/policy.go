package ipvs

import (
	"cmp"
	"slices"

	"github.com/planec/planec/backends/xtables"
)

// Chains that exist only with policies.
const (
	// answers has the rules that are in atInput without policies.
	answers = "PLC-ANSWERS"
	toNode  = "PLC-TO-NODE"
)

// deniedOwn is the set that pairs pods with the virtual services that have an
// endpoint on the node itself which the pods must not reach.
const deniedOwn setName = xtables.DeniedOwnSet

// policed adds the policies to the chains of the filter table. A packet is judged
// where its destination is final: IPVS sends packets through OUTPUT again, so
// INPUT skips packets to virtual services.
func (t *table) policed(chains []chain) []chain {
	if t.policy.Forward+t.policy.Input+t.policy.Output == "" {
		return chains
	}
	for i := range chains {
		c := &chains[i]
		switch {
		case c.name == atForward && t.policy.Forward != "":
			c.rules = append(c.rules, " -j "+t.policy.Forward)
		case c.name == atOutput:
			c.rules = append(t.balanced(), c.rules[1:]...)
			if t.policy.Output != "" {
				// As for other ports of such an address below.
				last := len(c.rules) - 1
				c.rules = append(c.rules[:last:last], " -j "+t.policy.Output, c.rules[last])
			}
		case c.name == atInput && t.policy.Input != "":
			chains = append(chains, chain{answers, c.rules}, chain{toNode, []string{
				t.in(deniedOwn, "dst,dst,src") + t.policy.Refuse,
				t.in(served, "dst,dst") + " -j RETURN",
				" -g " + t.policy.Input,
			}})
			chains[i].rules = []string{" -j " + answers, " -j " + toNode}
		case c.name == virtualIPs && t.policy.Input != "":
			// Other ports of an address that is bound only for IPVS: the refusal of
			// policies precedes the reject.
			last := len(c.rules) - 1
			c.rules = append(c.rules[:last:last], " -j "+t.policy.Input, c.rules[last])
		}
	}
	for _, c := range t.policy.Chains {
		chains = append(chains, chain{c.Name, c.Rules})
	}
	slices.SortFunc(chains, func(a, b chain) int { return cmp.Compare(a.name, b.name) })
	return chains
}

// balanced judges packets that IPVS sends through OUTPUT again, with their endpoints:
// those of the node itself only where a rule is for them.
func (t *table) balanced() []string {
	var rules []string
	if t.policy.Output != "" {
		rules = append(rules, byIPVS+" -m addrtype --src-type LOCAL -g "+t.policy.Output)
	}
	if t.policy.Forward != "" {
		return append(rules, byIPVS+" -g "+t.policy.Forward)
	}
	return append(rules, byIPVS+" -j RETURN")
}

// appendPolicySets writes the sets that policy rules match.
func (t *table) appendPolicySets(b []byte) []byte {
	if t.policy.Input != "" {
		kind := setKind{name: deniedOwn, of: "hash:ip,port,ip"}
		s := set{kind: kind, add: "add " + fullName(t.family, deniedOwn) + nextSuffix + " "}
		t.addDeniedOwn(&s)
		b = s.appendTo(b, fullName(t.family, deniedOwn), t.family)
	}
	for _, x := range t.policy.Sets {
		s := set{kind: setKind{of: x.Kind}, b: x.AppendAdds(nil, x.Name+nextSuffix)}
		b = s.appendTo(b, x.Name, t.family)
	}
	return b
}
