package irtest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// AddRandomPolicy adds a policy that uses all features to the program, for the
// local addresses of its pools and a few other pods, also in combinations that the
// compiler does not produce.
func AddRandomPolicy(rng *rand.Rand, p *ir.Program) {
	addPolicy(policyRand{Rand: rng}, p)
}

// AddRandomDialects is AddRandomPolicy with what only other dialects than
// Kubernetes' have: named tiers, negations, source ports, ICMP, other protocols,
// logs, redirects, packets from the own node, and the node as a subject.
func AddRandomDialects(rng *rand.Rand, p *ir.Program) {
	addPolicy(policyRand{Rand: rng, dialects: true}, p)
}

func addPolicy(g policyRand, p *ir.Program) {
	rng := g.Rand
	g.cast(p)
	p.Policy = ir.Policy{OnDeny: ir.Refusals()[rng.IntN(2)]}
	for i := range 4 + rng.IntN(8) {
		p.Policy.AddressSets = append(p.Policy.AddressSets, g.addressSet(i))
	}
	g.sets = p.Policy.AddressSets
	rng.Shuffle(len(g.local), func(i, j int) { g.local[i], g.local[j] = g.local[j], g.local[i] })
	for i := 0; len(g.local) > 0 && i < 6; i++ {
		p.Policy.Profiles = append(p.Policy.Profiles, g.profile(i))
	}
	if g.dialects && len(p.Policy.Profiles) > 0 && rng.IntN(3) == 0 {
		node := g.profile(9)
		node.ID, node.Pods, node.Node = "the-node", nil, true
		withoutOwnNode(&node)
		p.Policy.Profiles = append(p.Policy.Profiles, node)
	}
	dropUnused(&p.Policy)
	if p.Policy.Redirects() {
		p.Policy.OnRedirect = []ir.Action{ir.Deny, ir.Accept}[rng.IntN(2)]
	}
	p.Normalize()
}

func withoutOwnNode(p *ir.Profile) {
	for i := range p.Ingress {
		p.Ingress[i].OwnNode = false
		for j := range p.Ingress[i].Rules {
			p.Ingress[i].Rules[j].OwnNode = false
		}
	}
}

type policyRand struct {
	*rand.Rand
	// dialects says whether to use what only other dialects than Kubernetes' have.
	dialects      bool
	local, others []netip.Addr
	sets          []ir.AddressSet
}

func (g *policyRand) cast(p *ir.Program) {
	seen := make(map[netip.Addr]bool)
	for _, a := range p.Node.Addresses {
		seen[a] = true
		g.others = append(g.others, a)
	}
	for _, pool := range p.Pools {
		for _, e := range pool.Endpoints {
			switch a := e.Address.Addr(); {
			case seen[a]:
			case e.Local:
				g.local = append(g.local, a)
				seen[a] = true
			default:
				g.others = append(g.others, a)
				seen[a] = true
			}
		}
	}
	for _, s := range []string{"10.1.0.200", "10.1.0.201", "fd00:10:1::200", "fd00:10:1::201"} {
		if a := netip.MustParseAddr(s); !seen[a] {
			g.local = append(g.local, a)
		}
	}
	g.others = append(g.others, Addrs("10.1.9.9", "10.1.9.10", "fd00:10:9::9", "192.0.2.77", "2001:db8:7::1")...)
}

// somePrefixes overlap each other and the addresses in every way.
var somePrefixes = []string{
	"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.0/30", "10.1.9.9/32", "128.0.0.0/1", "192.0.2.0/24",
	"255.255.255.255/32", "::/0", "fd00::/8", "fd00:10:1::/64", "fd00:10:1::200/127", "2001:db8::/32", "ffff::/16",
}

func (g *policyRand) prefix() netip.Prefix {
	return netip.MustParsePrefix(somePrefixes[g.IntN(len(somePrefixes))])
}

func (g *policyRand) addressSet(i int) ir.AddressSet {
	s := ir.AddressSet{ID: fmt.Sprintf("set-%d", i)}
	if g.IntN(3) != 0 {
		for _, a := range slices.Concat(g.local, g.others) {
			if g.IntN(3) == 0 {
				s.Addresses = append(s.Addresses, a)
			}
		}
	}
	if g.IntN(2) == 0 {
		for range 1 + g.IntN(3) {
			s.Prefixes = append(s.Prefixes, g.prefix())
		}
		s.Prefixes = ir.DisjointPrefixes(s.Prefixes)
		for range g.IntN(3) {
			e := g.prefix()
			if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Bits() < e.Bits() && p.Contains(e.Addr()) }) {
				s.Except = append(s.Except, e)
			}
		}
		s.Except = ir.DisjointPrefixes(s.Except)
	}
	s.OwnNode = g.dialects && g.IntN(3) == 0
	if g.dialects && g.IntN(6) == 0 {
		s.Domains = []string{"a.example.com"}
	}
	return s
}

func (g *policyRand) profile(i int) ir.Profile {
	n := min(1+g.IntN(3), len(g.local))
	p := ir.Profile{ID: fmt.Sprintf("profile-%d", i)}
	for j, a := range g.local[:n] {
		p.Pods = append(p.Pods, ir.Pod{Namespace: "shop", Name: fmt.Sprintf("pod-%d-%d", i, j), Addresses: []netip.Addr{a}})
	}
	g.local = g.local[n:]
	which := g.IntN(3)
	if which != 0 {
		p.Ingress = g.tiers()
		if g.dialects {
			g.ownNode(p.Ingress)
		}
	}
	if which != 1 {
		p.Egress = g.tiers()
	}
	return p
}

func (g *policyRand) tiers() []ir.Tier {
	var out []ir.Tier
	for _, kind := range ir.TierKinds() {
		if g.IntN(2) == 0 {
			continue
		}
		out = append(out, g.tier(kind))
	}
	if len(out) == 0 {
		out = append(out, g.tier(ir.NetworkTier))
	}
	if g.dialects {
		for i := range g.IntN(3) {
			t := g.tier(ir.NamedTier)
			t.Name = fmt.Sprintf("tier-%d", i)
			if g.IntN(2) == 0 {
				t.Default = ir.Deny
				t.Isolating = []ir.Origin{{Kind: "Policy", Name: t.Name, Path: "spec"}}
			}
			out = slices.Insert(out, g.IntN(len(out)+1), t)
		}
	}
	return out
}

// ownNode lets some rules and defaults judge packets from the own node.
func (g *policyRand) ownNode(tiers []ir.Tier) {
	for i := range tiers {
		tiers[i].OwnNode = tiers[i].Default == ir.Deny && g.IntN(4) == 0
		for j := range tiers[i].Rules {
			tiers[i].Rules[j].OwnNode = g.IntN(4) == 0
		}
	}
}

// dialect gives a rule what only other dialects have.
func (g *policyRand) dialect(r *ir.Rule) {
	switch g.IntN(8) {
	case 0:
		r.Action, r.Prefix = ir.Log, []string{"calico-packet", "denied packet: "}[g.IntN(2)]
	case 1:
		r.Action, r.Payload = ir.Redirect, "http GET /health"
	case 2:
		r.Action = ir.Deny
	}
	for _, s := range g.sets {
		if g.IntN(8) == 0 {
			r.NotPeers = append(r.NotPeers, s.ID)
		}
	}
	for range g.IntN(3) {
		addRange(&r.NotPorts, g.anyRange())
	}
	if !r.AnyPort {
		for range g.IntN(3) {
			addRange(&r.Ports, g.anyRange())
		}
	}
	if g.IntN(5) == 0 {
		for range 1 + g.IntN(2) {
			addRange(&r.SourcePorts, g.portRange())
		}
	}
}

func addRange(list *[]ir.PortRange, r ir.PortRange) {
	if !slices.Contains(*list, r) {
		*list = append(*list, r)
	}
}

// anyRange returns ports, types and codes, or another protocol.
func (g *policyRand) anyRange() ir.PortRange {
	icmp := []ir.Protocol{ir.ICMP, ir.ICMPv6}[g.IntN(2)]
	switch g.IntN(6) {
	case 0:
		return ir.EveryPort(icmp)
	case 1:
		t := PolicyTypes[g.IntN(len(PolicyTypes))]
		return ir.PortRange{Protocol: icmp, First: ir.TypeAndCode(t, 0), Last: ir.TypeAndCode(t, 255)}
	case 2:
		t := PolicyTypes[g.IntN(len(PolicyTypes))]
		return ir.PortRange{Protocol: icmp, First: ir.TypeAndCode(t, 1), Last: ir.TypeAndCode(t, 1)}
	case 3:
		return ir.EveryPort(ir.Protocol([]uint8{47, 50, 51, 99}[g.IntN(4)]))
	}
	return g.portRange()
}

// PolicyTypes are the ICMP and ICMPv6 types to test random policies with.
var PolicyTypes = []uint8{0, 3, 8, 128, 254}

func (g *policyRand) tier(kind ir.TierKind) ir.Tier {
	t := ir.Tier{Kind: kind, Default: ir.Pass}
	if kind == ir.NetworkTier {
		t.Default = ir.Deny
		t.Isolating = []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "isolate", Path: "spec"}}
	}
	for j := range g.IntN(5) {
		r := ir.Rule{Action: ir.Accept, Origin: ir.Origin{Kind: "Policy", Namespace: "shop", Name: kind.String(), Path: fmt.Sprintf("spec.ingress[%d]", j)}}
		if kind != ir.NetworkTier {
			r.Action, r.Name = ir.Actions()[g.IntN(3)], fmt.Sprintf("rule-%d", j)
		}
		g.peers(&r)
		g.ports(&r)
		if g.dialects {
			g.dialect(&r)
		}
		t.Rules = append(t.Rules, r)
	}
	return t
}

func (g *policyRand) peers(r *ir.Rule) {
	if g.IntN(5) == 0 {
		r.AnyPeer = true
		return
	}
	for _, s := range g.sets {
		if g.IntN(4) == 0 {
			r.Peers = append(r.Peers, s.ID)
		}
	}
}

// PolicyPorts are the ports to test random policies with: inside and just outside
// of every range.
var PolicyPorts = []uint16{1, 79, 80, 81, 443, 7999, 8000, 8080, 8081, 8999, 9000, 9001, 65534, 65535}

func (g *policyRand) ports(r *ir.Rule) {
	if g.IntN(3) == 0 {
		r.AnyPort = true
		return
	}
	for range g.IntN(4) {
		addRange(&r.Ports, g.portRange())
	}
}

func (g *policyRand) portRange() ir.PortRange {
	p := ir.PortRange{Protocol: ir.Protocols()[g.IntN(3)]}
	switch g.IntN(5) {
	case 0:
		p.Last = 65535
	case 1:
		p.First, p.Last = 8000, 9000
	case 2:
		p.First, p.Last = 8080, 65535
	default:
		p.First = PolicyPorts[g.IntN(len(PolicyPorts))]
		p.Last = p.First
	}
	return p
}

// DropUnused removes what a policy without some profiles or tiers does not need: sets, names
// and OnRedirect. It leaves the lists that it was given as they are.
func DropUnused(p *ir.Policy) {
	p.AddressSets, p.Peers = slices.Clone(p.AddressSets), nil
	dropUnused(p)
	if !p.Redirects() {
		p.OnRedirect = 0
	}
	slices.SortFunc(p.Peers, func(a, b ir.Peer) int { return a.Address.Compare(b.Address) })
}

// dropUnused removes sets that no rule uses.
func dropUnused(p *ir.Policy) {
	used := make(map[string]bool)
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for _, r := range t.Rules {
					for _, id := range r.Sets() {
						used[id] = true
					}
				}
			}
		}
	}
	p.AddressSets = slices.DeleteFunc(p.AddressSets, func(s ir.AddressSet) bool { return !used[s.ID] })
	seen := make(map[netip.Addr]bool)
	for _, s := range p.AddressSets {
		for i, a := range s.Addresses {
			if !seen[a] {
				seen[a] = true
				p.Peers = append(p.Peers, ir.Peer{Address: a, Namespace: "shop", Name: fmt.Sprintf("peer-%d", i)})
			}
		}
	}
	if len(p.Profiles) == 0 {
		*p = ir.Policy{}
	}
}
