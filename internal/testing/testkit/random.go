package testkit

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// RandomFlows returns n flows that cover a program: every kind of destination
// (frontends of all kinds, unknown ports and addresses of Services, the node,
// pods, the internet) from every kind of source (endpoints and other pods of the
// node, the node itself, pods of other nodes, clients inside and outside of source
// ranges), in the families of the program. If the program has policies, every
// second flow is from or to a pod that they select. The result depends only on the
// generator and the program.
func RandomFlows(rng *rand.Rand, p *ir.Program, n int) []Flow {
	g := newGenerator(rng, p)
	flows := make([]Flow, 0, n)
	for len(flows) < n {
		if f, ok := g.flow(); ok {
			flows = append(flows, f)
		}
	}
	return flows
}

// generator has the addresses of a program.
type generator struct {
	*rand.Rand
	program  *ir.Program
	pools    map[string]*ir.Pool
	families []ir.Family
	node     map[ir.Family][]netip.Addr
	// local are the endpoints on this node, clients the pods of this node that are
	// not endpoints, remote the endpoints elsewhere.
	local, clients, remote map[ir.Family][]netip.Addr
	// taken are the addresses that must not be used for new hosts.
	taken  map[netip.Addr]bool
	policy policyCast
}

func newGenerator(rng *rand.Rand, p *ir.Program) *generator {
	g := &generator{
		Rand: rng, program: p,
		pools:   make(map[string]*ir.Pool, len(p.Pools)),
		node:    make(map[ir.Family][]netip.Addr),
		local:   make(map[ir.Family][]netip.Addr),
		clients: make(map[ir.Family][]netip.Addr),
		remote:  make(map[ir.Family][]netip.Addr),
		taken:   make(map[netip.Addr]bool),
	}
	g.addNode()
	g.addEndpoints()
	g.addPolicy()
	for _, f := range p.Frontends {
		g.taken[f.Match.Address] = true
	}
	for _, a := range p.ClusterIPs {
		g.taken[a] = true
	}
	for _, f := range ir.Families() {
		if g.has(f) {
			g.families = append(g.families, f)
			g.addClients(f)
		}
	}
	if len(g.families) == 0 {
		g.families = []ir.Family{ir.IPv4}
		g.addClients(ir.IPv4)
	}
	return g
}

func (g *generator) addNode() {
	for _, a := range g.program.Node.Addresses {
		g.taken[a] = true
		if !a.IsLoopback() {
			g.node[ir.FamilyOf(a)] = append(g.node[ir.FamilyOf(a)], a)
		}
	}
}

// addEndpoints adds local endpoints first: two slices may have the same address on
// two nodes, and the rig then has it as a local pod.
func (g *generator) addEndpoints() {
	for i := range g.program.Pools {
		g.pools[g.program.Pools[i].ID] = &g.program.Pools[i]
	}
	for _, local := range []bool{true, false} {
		side := g.remote
		if local {
			side = g.local
		}
		for _, pool := range g.program.Pools {
			for _, ep := range pool.Endpoints {
				a := ep.Address.Addr()
				if ep.Local == local && !g.taken[a] {
					g.taken[a] = true
					side[ir.FamilyOf(a)] = append(side[ir.FamilyOf(a)], a)
				}
			}
		}
	}
}

// addClients adds pods of this node: one that a CIDR detector finds, if there is
// one, and one that it does not find.
func (g *generator) addClients(f ir.Family) {
	var prefixes []netip.Prefix
	if detected := ir.PrefixesOf(f, g.program.Node.Local.CIDRs); len(detected) > 0 {
		prefixes = append(prefixes, detected[0])
	}
	prefixes = append(prefixes, clientPods(f))
	for _, p := range prefixes {
		if a, ok := g.host(p); ok {
			g.taken[a] = true
			g.clients[f] = append(g.clients[f], a)
		}
	}
}

func (g *generator) has(f ir.Family) bool {
	return len(g.node[f]) > 0 || slices.ContainsFunc(g.program.Frontends, func(fe ir.Frontend) bool { return fe.Match.Family == f })
}

// flow returns one flow; it fails if the program has nothing of the randomly
// selected kind.
func (g *generator) flow() (Flow, bool) {
	if len(g.policy.subjects) > 0 && g.IntN(2) == 0 {
		return g.policed()
	}
	var d target
	var ok bool
	switch dice := g.IntN(100); {
	case dice < 60:
		d, ok = g.frontend()
	case dice < 70:
		d, ok = g.unknownPort()
	case dice < 76:
		d, ok = g.unknownService()
	case dice < 84:
		d, ok = g.nodeItself()
	default:
		d, ok = g.elsewhere()
	}
	if !ok {
		return Flow{}, false
	}
	return g.from(d)
}

// pick returns one of the values.
func pick[T any](rng *rand.Rand, values []T) (T, bool) {
	if len(values) == 0 {
		var none T
		return none, false
	}
	return values[rng.IntN(len(values))], true
}

// host returns an unused address in the prefix that a host may have.
func (g *generator) host(p netip.Prefix) (netip.Addr, bool) {
	const tries = 8
	for range tries {
		if a := g.inside(p); usable(a) && !g.taken[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// inside returns any address of the prefix.
func (g *generator) inside(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for i := range bytes {
		free := min(max((i+1)*8-p.Bits(), 0), 8)
		bytes[i] |= byte(g.Uint32()) & byte(1<<free-1)
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}

// usable reports whether routers forward the address.
func usable(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return b[0] != 0 && b[0] != 127 && b[0] < 224 && !a.IsLinkLocalUnicast()
	}
	return a.IsPrivate() || netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(a)
}

// clientPods returns a range for pods outside of every detector's range (RFC 2544,
// RFC 4193).
func clientPods(f ir.Family) netip.Prefix {
	if f == ir.IPv4 {
		return netip.MustParsePrefix("198.18.0.0/16")
	}
	return netip.MustParsePrefix("fd5e:1b:2c::/64")
}

// internet returns a range for unrelated hosts.
func internet(f ir.Family) netip.Prefix {
	if f == ir.IPv4 {
		return netip.MustParsePrefix("203.0.113.0/24")
	}
	return netip.MustParsePrefix("2001:db8:cafe::/48")
}

// from selects a source for a target.
func (g *generator) from(d target) (Flow, bool) {
	f := Flow{Dst: d.addr, Protocol: d.protocol, Port: d.port}
	var ok bool
	switch g.IntN(10) {
	case 0, 1, 2:
		f.From = eval.FromPod
		f.Src, ok = g.pod(d)
	case 3, 4:
		f.From, ok = eval.FromNode, true
		f.Src, _ = pick(g.Rand, g.node[ir.FamilyOf(d.addr)])
		if d.addr.IsLoopback() {
			f.Src = d.addr
		}
	default:
		f.From = eval.FromOutside
		f.Src, ok = g.outsider(d)
	}
	if d.addr.IsLoopback() && f.From != eval.FromNode {
		return Flow{}, false // a martian packet
	}
	return f, ok && f.Src != f.Dst || f.From == eval.FromNode
}

// pod returns a local pod: preferably an endpoint of the target, which may get
// itself, another endpoint, or none.
func (g *generator) pod(d target) (netip.Addr, bool) {
	family := ir.FamilyOf(d.addr)
	var own []netip.Addr
	if d.frontend != nil {
		for _, ep := range g.pools[d.frontend.Internal.Pool].Endpoints {
			if a := ep.Address.Addr(); ep.Local && !g.isNode(a) {
				own = append(own, a)
			}
		}
	}
	for _, group := range [][]netip.Addr{own, g.local[family]} {
		if g.IntN(3) != 0 {
			continue
		}
		if a, ok := pick(g.Rand, group); ok {
			return a, true
		}
	}
	return pick(g.Rand, g.clients[family])
}

// outsider returns a pod of another node, a client in a source range, or any client.
func (g *generator) outsider(d target) (netip.Addr, bool) {
	family := ir.FamilyOf(d.addr)
	switch g.IntN(4) {
	case 0:
		if a, ok := pick(g.Rand, g.remote[family]); ok {
			return a, true
		}
	case 1:
		if p, ok := pick(g.Rand, ir.PrefixesOf(family, g.program.Node.Local.CIDRs)); ok {
			if a, ok := g.host(p); ok {
				return a, true
			}
		}
	case 2:
		if d.frontend == nil {
			break
		}
		if p, ok := pick(g.Rand, d.frontend.SourceRanges); ok {
			if a, ok := g.host(p); ok {
				return a, true
			}
		}
	}
	return g.host(internet(family))
}

func (g *generator) isNode(a netip.Addr) bool { return slices.Contains(g.program.Node.Addresses, a) }
