package resolve_test

import (
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// TestHistories wants of every policy in random histories what it is as a whole.
func TestHistories(t *testing.T) {
	histories := 300
	if testing.Short() {
		histories = 60
	}
	stepped := 0
	for seed := range uint64(histories) {
		p, rng := randomProgram(t, seed)
		if seed%2 == 1 {
			p, rng = dialectProgram(t, seed)
		}
		var hash identity.Hash
		if seed%7 == 6 {
			hash = func(b []byte) (sum [sha256.Size]byte) { sum[0] = byte(len(b)) & 1; return sum }
		}
		h := historian{Rand: rng, policy: p.Policy}
		var m resolve.Memo
		for n := range 12 {
			before := text(m.New(&h.policy, hash))
			if got, want := before, text(resolve.New(&h.policy, hash)); got != want {
				t.Fatalf("seed %d, change %d: %s", seed, n, firstDifference(got, want))
			}
			kept, old := h.policy, m.New(&h.policy, hash)
			next := h.next()
			h.policy = next
			p.Policy = next
			if resolve.Stepped(&m, &h.policy, hash) {
				stepped++
			}
			if text(old) != before || len(kept.Profiles) > 0 && !slices.EqualFunc(old.Profiles, kept.Profiles, func(a resolve.Profile, b ir.Profile) bool { return a.ID == b.ID }) {
				t.Fatalf("seed %d, change %d: the result before was changed", seed, n)
			}
		}
	}
	t.Logf("%d histories, %d steps from the policy before", histories, stepped)
	if stepped < histories*3 {
		t.Errorf("only %d steps", stepped)
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("\n got %s\nwant %s", a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// text is everything that a resolved policy says, with rows by their content.
func text(p *resolve.Policy) string {
	var b strings.Builder
	for i := range p.Classes {
		fmt.Fprintln(&b, "class", p.Classes[i].ID, slices.Collect(p.Classes[i].Sets()))
	}
	fmt.Fprintln(&b, p.Hosts, "\n", p.Networks)
	row := func(i int) string {
		r := p.Rows[i]
		out := fmt.Sprint(r.ID, r.Accept, r.Except, r.Logs)
		for _, s := range r.Sources {
			out += fmt.Sprint(" from ", s.Ports, p.Rows[s.Row].ID)
		}
		return out
	}
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			tab := p.Profiles[i].Table(d)
			fmt.Fprintln(&b, "profile", p.Profiles[i].ID, p.Profiles[i].Pods, d, tab != nil)
			if tab == nil {
				continue
			}
			fmt.Fprintln(&b, " default", row(tab.Default), p.Denies(tab))
			if tab.Own >= 0 {
				fmt.Fprintln(&b, " own", row(tab.Own))
			}
			for _, r := range tab.Rows {
				fmt.Fprintln(&b, " ", r.Class, row(r.Row))
			}
			standard, rows := tab.Compact()
			fmt.Fprintln(&b, " compact", row(standard))
			for _, r := range rows {
				fmt.Fprintln(&b, " ", r.Class, row(r.Row))
			}
		}
	}
	return b.String()
}

// historian changes a policy; what stays is in the same memory.
type historian struct {
	*rand.Rand
	policy ir.Policy
	// spare are profiles and sets that were taken away.
	profiles []ir.Profile
	sets     []ir.AddressSet
}

func (h *historian) next() ir.Policy {
	p := h.policy
	p.Peers = nil // names are for people
	p.Profiles, p.AddressSets = slices.Clone(p.Profiles), slices.Clone(p.AddressSets)
	for range 1 + h.IntN(3) {
		switch h.IntN(5) {
		case 0:
			h.takeProfile(&p)
		case 1:
			h.giveProfile(&p)
		case 2:
			h.changeTier(&p)
		default:
			h.changeSet(&p)
		}
	}
	h.needed(&p)
	slices.SortFunc(p.Profiles, func(a, b ir.Profile) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(p.AddressSets, func(a, b ir.AddressSet) int { return strings.Compare(a.ID, b.ID) })
	if p.OnRedirect = 0; p.Redirects() {
		p.OnRedirect = ir.Deny
	}
	return p
}

func (h *historian) takeProfile(p *ir.Policy) {
	if n := len(p.Profiles); n > 1 {
		i := h.IntN(n)
		h.profiles = append(h.profiles, p.Profiles[i])
		p.Profiles = slices.Delete(p.Profiles, i, i+1)
	}
}

func (h *historian) giveProfile(p *ir.Policy) {
	if n := len(h.profiles); n > 0 {
		i := h.IntN(n)
		p.Profiles = append(p.Profiles, h.profiles[i])
		h.profiles = slices.Delete(h.profiles, i, i+1)
	}
}

// changeTier takes a rule away or another action for it.
func (h *historian) changeTier(p *ir.Policy) {
	profile := &p.Profiles[h.IntN(len(p.Profiles))]
	tiers := &profile.Ingress
	if h.IntN(2) == 0 {
		tiers = &profile.Egress
	}
	if len(*tiers) == 0 {
		return
	}
	*tiers = slices.Clone(*tiers)
	tier := &(*tiers)[h.IntN(len(*tiers))]
	tier.Rules = slices.Clone(tier.Rules)
	if len(tier.Rules) == 0 {
		return
	}
	i := h.IntN(len(tier.Rules))
	if r := &tier.Rules[i]; h.IntN(2) == 0 && (r.Action == ir.Accept || r.Action == ir.Deny) {
		r.Action = ir.Accept + ir.Deny - r.Action
	} else if len(tier.Rules) > 1 {
		tier.Rules = slices.Delete(tier.Rules, i, i+1)
	}
}

// changeSet gives a set an address more or less, and sometimes another network.
func (h *historian) changeSet(p *ir.Policy) {
	if len(p.AddressSets) == 0 {
		return
	}
	s := &p.AddressSets[h.IntN(len(p.AddressSets))]
	if len(s.Domains) > 0 {
		return
	}
	s.Addresses = slices.Clone(s.Addresses)
	if n := len(s.Addresses); n > 1 && h.IntN(2) == 0 {
		i := h.IntN(n)
		s.Addresses = slices.Delete(s.Addresses, i, i+1)
	} else {
		a := netip.AddrFrom4([4]byte{10, 1, 0, byte(h.IntN(8))})
		if other := p.AddressSets[h.IntN(len(p.AddressSets))]; len(other.Addresses) > 0 {
			a = other.Addresses[h.IntN(len(other.Addresses))]
		}
		s.Addresses = append(s.Addresses, a)
		slices.SortFunc(s.Addresses, netip.Addr.Compare)
		s.Addresses = slices.Compact(s.Addresses)
	}
	if len(s.Except) > 0 && h.IntN(20) == 0 {
		s.Except = s.Except[1:]
	}
}

// needed keeps the sets that rules name, and brings back those that were gone.
func (h *historian) needed(p *ir.Policy) {
	need := make(map[string]bool)
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					for _, id := range t.Rules[j].Sets() {
						need[id] = true
					}
				}
			}
		}
	}
	all := append(p.AddressSets, h.sets...)
	p.AddressSets, h.sets = nil, nil
	for _, s := range all {
		if need[s.ID] {
			p.AddressSets = append(p.AddressSets, s)
		} else {
			h.sets = append(h.sets, s)
		}
	}
}

// TestCollidingClasses wants the same classes of a policy whether they come at once or one after
// the other, where the names of two sets have one hash.
func TestCollidingClasses(t *testing.T) {
	seen := make(map[uint32]string)
	var pair []string
	for n := 0; pair == nil; n++ {
		id := fmt.Sprintf("set-%07d", n)
		sum := fnv.New32a()
		sum.Write(append([]byte(id), 0))
		if other, known := seen[sum.Sum32()]; known {
			pair = []string{other, id}
		}
		seen[sum.Sum32()] = id
	}
	slices.Sort(pair)
	profile := func(id, set string) ir.Profile {
		return ir.Profile{ID: id, Ingress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Rules: []ir.Rule{{Action: ir.Accept, Peers: []string{set}, AnyPort: true}}}}}
	}
	all := ir.Policy{OnDeny: ir.Drop, Profiles: []ir.Profile{profile("a", pair[0]), profile("b", pair[1])}, AddressSets: []ir.AddressSet{
		{ID: pair[0], Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.1")}}, {ID: pair[1], Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.2")}},
	}}
	one := func(i int) ir.Policy {
		return ir.Policy{OnDeny: ir.Drop, Profiles: all.Profiles[i : i+1], AddressSets: all.AddressSets[i : i+1]}
	}
	var m resolve.Memo
	for n, p := range []ir.Policy{one(0), all, one(1), all, one(0), one(1)} {
		if got, want := text(m.New(&p, nil)), text(resolve.New(&p, nil)); got != want {
			t.Fatalf("policy %d: %s", n, firstDifference(got, want))
		}
	}
}
