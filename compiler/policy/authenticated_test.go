package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// peersInTest are the peers of random rules about authentication.
var peersInTest = []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")}

// TestAuthenticated holds the rules that decide together against a map of entries as
// Cilium's datapath has it, for every packet of random rules.
func TestAuthenticated(t *testing.T) {
	t.Parallel()
	packets := 0
	for seed := range uint64(20000) {
		g := rand.New(rand.NewPCG(seed, 7))
		rules := make([]placed, 1+g.IntN(5))
		for i := range rules {
			rules[i] = randomRule(g, i)
		}
		if g.IntN(3) == 0 {
			combinedOf(g, rules)
		}
		b := builder{diags: &diag.List{}}
		got := b.authenticated(slices.Clone(rules))
		slices.SortStableFunc(got, placed.compare)
		for _, peer := range peersInTest {
			for _, port := range []uint16{1, 8, 9, 80, 81, 90, 443, 65535} {
				for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
					packets++
					want, have := reference(rules, peer, protocol, port), firstOf(got, peer, protocol, port)
					if want != have {
						t.Fatalf("seed %d, %v %v %d: %v, want %v\nof %s\nmade of %s", seed, peer, protocol, port, have, want, ruleText(got), ruleText(rules))
					}
				}
			}
		}
	}
	t.Logf("%d packets", packets)
}

// TestManyAuthenticated wants what would cost too much closed, and said.
func TestManyAuthenticated(t *testing.T) {
	t.Parallel()
	var rules []placed
	for i := range 400 {
		r := placed{order: float64(i), auth: clause.AuthDisabled}
		r.rule = ir.Rule{Action: ir.Accept, AnyPort: true, Origin: ir.Origin{Kind: "CiliumNetworkPolicy", Name: fmt.Sprint(i)}}
		r.add(&ir.AddressSet{ID: fmt.Sprintf("set %03d", i), Addresses: peersInTest[i%2 : i%2+1]}, nil)
		if i%2 == 1 {
			r.auth, r.rule.AnyPort, r.rule.Ports = clause.NoAuth, false, []ir.PortRange{{Protocol: ir.TCP, First: uint16(2 * i), Last: uint16(2 * i)}}
		}
		rules = append(rules, r)
	}
	var diags diag.List
	b := builder{diags: &diags}
	got := b.authenticated(slices.Clone(rules))
	slices.SortStableFunc(got, placed.compare)
	if len(got) != len(rules) || len(diags) != 1 || diags[0].Code != diag.PolicyBudget || diags[0].Origin.Name != "0" {
		t.Errorf("%d rules, and %v", len(got), diags)
	}
	if a, b := firstOf(got, peersInTest[0], ir.TCP, 80), firstOf(got, peersInTest[1], ir.TCP, 2); a != "deny" || b != "accept" {
		t.Errorf("%s and %s, want what is about authentication denied, and the rest as it was", a, b)
	}
}

func ruleText(rules []placed) (out string) {
	for _, r := range rules {
		out += fmt.Sprintf("\n  %v of %v but %v any port %v ports %v auth %d proxy %d", r.rule.Action, r.rule.Peers, r.rule.NotPeers, r.rule.AnyPort, portsOf(&r), r.auth, r.proxy)
	}
	return out
}

func randomRule(g *rand.Rand, i int) placed {
	r := placed{order: float64(i), auth: clause.Auth(g.IntN(4))}
	r.rule = ir.Rule{Action: ir.Accept, OwnNode: true, Origin: ir.Origin{Name: fmt.Sprint(i)}}
	if g.IntN(3) == 0 {
		r.proxy = uint8(1 + g.IntN(2))
		r.rule.Action, r.rank = ir.Redirect, -90
	}
	if r.rule.AnyPeer = g.IntN(3) == 0; !r.rule.AnyPeer {
		set := &ir.AddressSet{ID: fmt.Sprintf("set %d", i)}
		for _, a := range peersInTest {
			if g.IntN(2) == 0 {
				set.Addresses = append(set.Addresses, a)
			}
		}
		r.add(set, nil)
	}
	ranges := []ir.PortRange{
		{Protocol: ir.TCP, First: 80, Last: 80},
		{Protocol: ir.TCP, First: 80, Last: 90},
		{Protocol: ir.TCP, First: 1, Last: 65535},
		ir.EveryPort(ir.TCP), ir.EveryPort(ir.UDP),
		{Protocol: ir.UDP, First: 8, Last: 9},
		{Protocol: ir.TCP, First: 81, Last: 81},
	}
	if r.rule.AnyPort = g.IntN(3) == 0; !r.rule.AnyPort {
		for range 1 + g.IntN(2) {
			r.ranges = append(r.ranges, ranges[g.IntN(len(ranges))])
		}
		r.rule.Ports = distinctRanges(slices.Clone(r.ranges))
	}
	return r
}

// grouped makes some rules about authentication rules for the group of all pods, who are
// all peers but the last. The others are for pods or for that one.
func combinedOf(g *rand.Rand, rules []placed) {
	for i := range rules {
		r := &rules[i]
		if r.rule.AnyPeer {
			continue
		}
		set := &ir.AddressSet{ID: r.rule.Peers[0], Addresses: peersInTest[2:]}
		switch g.IntN(3) {
		case 0:
			set.Addresses = peersInTest[g.IntN(2):2]
		case 1:
			if r.auth != clause.NoAuth {
				r.group, set.ID, set.Addresses = true, "pods", peersInTest[:2]
			}
		}
		r.lowered = lowered{rule: r.rule}
		r.rule.Peers = nil
		r.add(set, nil)
	}
}

// firstOf returns what the first rule that matches does.
func firstOf(rules []placed, peer netip.Addr, protocol ir.Protocol, port uint16) string {
	for i := range rules {
		r := &rules[i]
		in := func(id string) bool {
			return slices.ContainsFunc(r.sets, func(s *ir.AddressSet) bool { return s.ID == id && slices.Contains(s.Addresses, peer) })
		}
		if !(r.rule.AnyPeer || slices.ContainsFunc(r.rule.Peers, in)) || slices.ContainsFunc(r.rule.NotPeers, in) {
			continue
		}
		if r.rule.AnyPort || slices.ContainsFunc(r.rule.Ports, func(p ir.PortRange) bool { return p.Contains(protocol, port) }) {
			return r.rule.Action.String()
		}
	}
	return "nothing"
}

// entry is one of a map in which keys are peers and prefixes of ports.
type entry struct {
	bits     int
	proxy    uint8
	auth     clause.Auth
	explicit bool
}

// reference does what the agent and its datapath do (pkg/policy/mapstate.go;
// bpf/lib/policy.h).
func reference(rules []placed, peer netip.Addr, protocol ir.Protocol, port uint16) string {
	named, found := winner(rules, protocol, port, func(r *placed) bool {
		return !r.rule.AnyPeer && !r.group && slices.Contains(r.sets[0].Addresses, peer)
	})
	all, foundAll := winner(rules, protocol, port, func(r *placed) bool {
		return r.rule.AnyPeer || r.group && slices.Contains(r.sets[0].Addresses, peer)
	})
	chosen, other := named, all
	switch {
	case !found && !foundAll:
		return "nothing"
	case !found || foundAll && (all.proxy > named.proxy || all.proxy == named.proxy && all.bits > named.bits):
		chosen, other = all, named
	}
	if found && foundAll && chosen.proxy == other.proxy && !chosen.explicit {
		chosen.auth = max(chosen.auth, other.auth)
	}
	return outcome(chosen.auth, chosen.proxy > 0).String()
}

// winner makes the entries of one peer that match a packet, the widest first, and returns
// the narrowest that stays.
func winner(rules []placed, protocol ir.Protocol, port uint16, of func(*placed) bool) (out entry, found bool) {
	var byBits [25]*entry
	for i := range rules {
		r := &rules[i]
		if !of(r) {
			continue
		}
		for _, bits := range prefixes(r, protocol, port) {
			e := byBits[bits]
			if e == nil {
				e = &entry{bits: bits}
				byBits[bits] = e
			}
			e.proxy, e.auth = max(e.proxy, r.proxy), max(e.auth, r.auth)
			e.explicit = e.explicit || r.auth != clause.NoAuth
		}
	}
	asked := clause.NoAuth
	for _, e := range byBits {
		switch {
		case e == nil:
			continue
		case e.explicit:
			asked = e.auth
			e.proxy = max(e.proxy, out.proxy)
		case found && out.proxy > e.proxy:
			continue
		default:
			e.auth = asked
		}
		out, found = *e, true
	}
	return out, found
}

// prefixes returns the lengths of the prefixes of protocol and port that a rule has around
// a packet.
func prefixes(r *placed, protocol ir.Protocol, port uint16) []int {
	if r.rule.AnyPort {
		return []int{0}
	}
	var out []int
	for _, p := range r.ranges {
		if !p.Contains(protocol, port) {
			continue
		}
		bits := 24
		for size := 2; size <= 1<<16; size *= 2 { // the widest block of the range around the port
			if f := int(port) / size * size; f >= int(p.First) && f+size-1 <= int(p.Last) {
				bits--
			}
		}
		out = append(out, bits)
	}
	return out
}
