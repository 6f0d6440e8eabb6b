package ir

import (
	"net/netip"
	"slices"
	"strings"
)

// policy checks a policy: references resolve, no part is unused, and no two
// pods share an address.
func (v *verifier) policy(p *Policy) {
	sets := make(map[string]bool, len(p.AddressSets))
	held := make(map[netip.Addr]bool)
	for i := range p.AddressSets {
		s := &p.AddressSets[i]
		if s.ID == "" || i > 0 && p.AddressSets[i-1].ID >= s.ID {
			v.failf("address set %q: no id, or not in order", s.ID)
		}
		sets[s.ID] = false
		v.addressSet(s)
		for _, a := range s.Addresses {
			held[a] = true
		}
	}
	if _, err := p.OnDeny.MarshalText(); len(p.Profiles) > 0 && err != nil {
		v.failf("policy: onDeny: %w", err)
	} else if len(p.Profiles) == 0 && p.OnDeny != 0 {
		v.failf("policy: onDeny without profiles")
	}
	v.profiles(p.Profiles, sets)
	v.onRedirect(p)
	for id, used := range sets {
		if !used {
			v.failf("address set %q: no rule uses it", id)
		}
	}
	for i, peer := range p.Peers {
		if i > 0 && p.Peers[i-1].Address.Compare(peer.Address) >= 0 {
			v.failf("peer %v: not in order", peer.Address)
		}
		if !held[peer.Address] || peer.Name == "" {
			v.failf("peer %v %q: in no address set, or without a name", peer.Address, peer)
		}
	}
}

func (v *verifier) addressSet(s *AddressSet) {
	what := "address set " + s.ID
	for i, d := range s.Domains {
		if d == "" || i > 0 && s.Domains[i-1] >= d {
			v.failf("%s: domain %q is empty or not in order", what, d)
		}
	}
	v.addrs(what, s.Addresses)
	v.prefixes(what, s.Prefixes)
	v.prefixes(what+" except", s.Except)
	for _, e := range s.Except {
		inside := false
		for _, p := range s.Prefixes {
			inside = inside || p.Bits() < e.Bits() && p.Contains(e.Addr())
		}
		if !inside {
			v.failf("%s: except %v is in none of the prefixes", what, e)
		}
	}
}

func (v *verifier) profiles(profiles []Profile, sets map[string]bool) {
	owners := make(map[netip.Addr]string)
	for i := range profiles {
		p := &profiles[i]
		if !validProfileID(p.ID) || i > 0 && profiles[i-1].ID >= p.ID {
			v.failf("profile %q: no valid id, or not in order", p.ID)
		}
		if (len(p.Pods) == 0) != p.Node || len(p.Ingress)+len(p.Egress) == 0 {
			v.failf("profile %q: no pods, the node and pods besides, or no tiers", p.ID)
		}
		if p.Node && slices.ContainsFunc(profiles[:i], func(q Profile) bool { return q.Node }) {
			v.failf("profile %q: another one has the node too", p.ID)
		}
		for j, pod := range p.Pods {
			if j > 0 && comparePod(p.Pods[j-1], pod) >= 0 {
				v.failf("profile %q: pod %s/%s is not in order", p.ID, pod.Namespace, pod.Name)
			}
			v.addrs("pod "+pod.Namespace+"/"+pod.Name, pod.Addresses)
			for _, a := range pod.Addresses {
				if other, taken := owners[a]; taken {
					v.failf("profile %q: %v belongs to a pod of %q too", p.ID, a, other)
				}
				owners[a] = p.ID
			}
		}
		for _, d := range Directions() {
			v.tiers(p, d, sets)
		}
	}
}

// validProfileID accepts what can be part of a name in every rule language.
func validProfileID(s string) bool {
	for _, r := range s {
		if ok := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '/'; !ok {
			return false
		}
	}
	return s != "" && len(s) <= maxProfileID
}

const maxProfileID = 96

func (v *verifier) tiers(p *Profile, d Direction, sets map[string]bool) {
	tiers := p.Tiers(d)
	for i := range tiers {
		t := &tiers[i]
		if _, err := t.Kind.MarshalText(); err != nil || (t.Kind == NamedTier) != (t.Name != "") {
			v.failf("profile %q: %v tier %v is unknown, or its name %q does not belong there", p.ID, d, t.Kind, t.Name)
		}
		for j := range tiers[:i] {
			if before := &tiers[j]; t.Kind != NamedTier && before.Kind != NamedTier && before.Kind >= t.Kind || t.Kind == NamedTier && before.Title() == t.Title() {
				v.failf("profile %q: %v tier %s is not in order, or there twice", p.ID, d, t.Title())
			}
		}
		if (t.Default != Deny && t.Default != Pass) || (t.Default == Deny) != (len(t.Isolating) > 0) {
			v.failf("profile %q: %v tier %s: default %v with %d isolating policies", p.ID, d, t.Title(), t.Default, len(t.Isolating))
		}
		if t.OwnNode && (d != Ingress || t.Default != Deny || p.Node) {
			v.failf("profile %q: %v tier %s: its default cannot hold for the own node", p.ID, d, t.Title())
		}
		for j := range t.Rules {
			v.rule(p, d, &t.Rules[j], sets)
		}
	}
}

func (v *verifier) rule(p *Profile, d Direction, r *Rule, sets map[string]bool) {
	if _, err := r.Action.MarshalText(); err != nil {
		v.failf("profile %q: rule: %w", p.ID, err)
	}
	if (r.Action == Log) != (r.Prefix != "") || (r.Action == Redirect) != (r.Payload != "") {
		v.failf("profile %q: rule %v: %v with prefix %q and payload %q", p.ID, r.Origin, r.Action, r.Prefix, r.Payload)
	}
	if len(r.Prefix) > MaxPrefix || strings.ContainsFunc(r.Prefix, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		v.failf("profile %q: rule %v: prefix %q is too long or has other characters than rules take", p.ID, r.Origin, r.Prefix)
	}
	if r.OwnNode && (d != Ingress || p.Node) {
		v.failf("profile %q: rule %v cannot judge packets from the own node", p.ID, r.Origin)
	}
	if r.AnyPeer && len(r.Peers) > 0 || r.AnyPort && len(r.Ports) > 0 {
		v.failf("profile %q: rule %v: anything, and something besides", p.ID, r.Origin)
	}
	for _, list := range [][]string{r.Peers, r.NotPeers} {
		for i, id := range list {
			if _, known := sets[id]; !known || i > 0 && list[i-1] >= id {
				v.failf("profile %q: rule %v: address set %q is unknown or not in order", p.ID, r.Origin, id)
			}
			sets[id] = true
		}
	}
	for _, list := range [][]PortRange{r.Ports, r.NotPorts, r.SourcePorts} {
		v.ports(p, r, list)
	}
	for _, ports := range r.SourcePorts {
		if !ports.Protocol.HasPorts() {
			v.failf("profile %q: rule %v: source ports %v", p.ID, r.Origin, ports)
		}
	}
}

func (v *verifier) ports(p *Profile, r *Rule, list []PortRange) {
	for i, ports := range list {
		hasParts := ports.Protocol.HasPorts() || ports.Protocol.HasTypes()
		if ports.First > ports.Last || !hasParts && !ports.Every() {
			v.failf("profile %q: rule %v: ports %v", p.ID, r.Origin, ports)
		}
		if i > 0 && comparePortRange(list[i-1], ports) >= 0 {
			v.failf("profile %q: rule %v: ports %v are not in order", p.ID, r.Origin, ports)
		}
	}
}

// onRedirect checks that OnRedirect is there where it is needed.
func (v *verifier) onRedirect(p *Policy) {
	redirects := p.Redirects()
	if redirects != (p.OnRedirect == Deny || p.OnRedirect == Accept) || !redirects && p.OnRedirect != 0 {
		v.failf("policy: onRedirect %v, and rules that redirect: %v", p.OnRedirect, redirects)
	}
}
