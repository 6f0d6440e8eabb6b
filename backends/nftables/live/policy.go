package live

import "strings"

// The chains that the kernel calls where there are policies.
const policyEgress, policyIngress = "policy-egress", "policy-ingress"

// ofPolicy reports whether a set is about policies: only sets of policies say in
// and out, of a profile each.
func ofPolicy(set string) bool {
	switch set {
	case "hosts", "networks", "egress", "ingress", "egress-pods", "ingress-pods":
		return true
	}
	return ofProfile(set)
}

func ofProfile(name string) bool {
	return strings.HasPrefix(name, "in-") || strings.HasPrefix(name, "out-")
}

// chainOfPolicy is the same of a chain.
func chainOfPolicy(chain string) bool {
	switch chain {
	case policyEgress, "policy-input", policyIngress, "peer-destination", "peer-source":
		return true
	}
	return ofProfile(chain) || strings.HasPrefix(chain, "row-")
}

// policy compares all that is held of the policy with all that there is to be:
// nothing of Services leads to it or away from it.
func (x *changer) policy() error {
	have, want := x.held.policy(), x.now.policy()
	if why := structure(have, want); why != "" {
		return structural("%s", why)
	}
	x.change.diffChains(have, want)
	x.change.diffSets(have, want)
	if len(x.held.Chains)+len(x.change.newChains) == len(x.change.goneChains) {
		return structural("nothing is left to do in it")
	}
	return nil
}

// policy is what of the table is about policies.
func (t *Table) policy() *Table {
	p := newTable(t.Family)
	for _, s := range t.Sets {
		if ofPolicy(s.Name) {
			p.addSet(s)
		}
	}
	for _, c := range t.Chains {
		if chainOfPolicy(c.Name) {
			p.addChain(c)
		}
	}
	return p
}
