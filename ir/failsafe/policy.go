package failsafe

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// policies closes what given-up policies select, and reports whether there were any.
func policies(p *ir.Policy, set Set) bool {
	closed := false
	profiles := slices.Clone(p.Profiles)
	for i := range profiles {
		if level := profileLevel(&profiles[i], set); level != 0 {
			closed = true
			profiles[i].Ingress = tiers(&profiles[i], ir.Ingress, set, level)
			profiles[i].Egress = tiers(&profiles[i], ir.Egress, set, level)
		}
	}
	if closed {
		p.Profiles = profiles
		prune(p)
		if !p.Redirects() {
			p.OnRedirect = 0
		}
	}
	return closed
}

// profileLevel is the highest level to which a policy of the profile is given up.
func profileLevel(p *ir.Profile, set Set) (level Level) {
	visitProfile(p, func(o Object, _ ir.Origin) { level = max(level, set[o]) })
	return level
}

// tiers returns the tiers of a direction without the policies of the set.
func tiers(p *ir.Profile, d ir.Direction, set Set, level Level) []ir.Tier {
	if level >= Removed {
		return closedBy(p, d, set)
	}
	var out []ir.Tier
	for _, t := range p.Tiers(d) {
		t.Rules = rules(&t, set)
		if len(t.Rules) > 0 || t.Default == ir.Deny {
			out = append(out, t)
		}
	}
	return out
}

// rules returns the rules of other policies. In a tier that denies by default,
// removing a rule that accepts denies more. Otherwise one rule that denies
// everything replaces the policy's first rule.
func rules(t *ir.Tier, set Set) []ir.Rule {
	var out []ir.Rule
	denied := make(Set)
	for _, r := range t.Rules {
		o := PolicyOf(r.Origin)
		switch {
		case set[o] == 0:
			out = append(out, r)
		case t.Default == ir.Deny && r.Action != ir.Deny && r.Action != ir.Pass || denied[o] != 0:
		default:
			denied.Add(o, Refused)
			own := slices.ContainsFunc(t.Rules, func(q ir.Rule) bool { return q.OwnNode && PolicyOf(q.Origin) == o })
			out = append(out, ir.Rule{Action: ir.Deny, AnyPeer: true, AnyPort: true, OwnNode: own, Origin: r.Origin.At("spec")})
		}
	}
	return out
}

// closedBy returns the tiers of a direction that denies everything.
func closedBy(p *ir.Profile, closing ir.Direction, set Set) []ir.Tier {
	t := ir.Tier{Kind: ir.AdminTier, Default: ir.Pass}
	for _, d := range ir.Directions() {
		for _, have := range p.Tiers(d) {
			for _, o := range have.Isolating {
				if set[PolicyOf(o)] != 0 {
					t.Rules = []ir.Rule{{Action: ir.Deny, AnyPeer: true, AnyPort: true, Origin: o}}
				}
			}
			for _, r := range have.Rules {
				if set[PolicyOf(r.Origin)] != 0 {
					t.Rules = []ir.Rule{{Action: ir.Deny, AnyPeer: true, AnyPort: true, Origin: r.Origin.At("spec")}}
				}
			}
		}
	}
	for _, have := range p.Tiers(closing) {
		t.Rules[0].OwnNode = t.Rules[0].OwnNode || have.OwnNode || slices.ContainsFunc(have.Rules, func(r ir.Rule) bool { return r.OwnNode })
	}
	return []ir.Tier{t}
}

// prune removes the sets that no rule refers to any more, and the names of
// addresses in none of the sets.
func prune(p *ir.Policy) {
	used := make(map[string]bool, len(p.AddressSets))
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					for _, id := range t.Rules[j].Sets() {
						used[id] = true
					}
				}
			}
		}
	}
	p.AddressSets = slices.DeleteFunc(slices.Clone(p.AddressSets), func(s ir.AddressSet) bool { return !used[s.ID] })
	held := make(map[netip.Addr]bool)
	for i := range p.AddressSets {
		for _, a := range p.AddressSets[i].Addresses {
			held[a] = true
		}
	}
	p.Peers = slices.DeleteFunc(slices.Clone(p.Peers), func(peer ir.Peer) bool { return !held[peer.Address] })
}
