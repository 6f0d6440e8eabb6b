package irtest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// RandomProgram returns a small program that uses all features, also in
// combinations that the compiler does not produce.
func RandomProgram(rng *rand.Rand) *ir.Program {
	p := KitchenSink()
	p.Node.Local = []ir.LocalDetector{
		p.Node.Local,
		{Mode: ir.DetectNone},
		{Mode: ir.DetectCIDR, CIDRs: Prefixes("10.1.0.0/25", "10.1.0.128/26")},
		{Mode: ir.DetectInterface, Interface: "cni0"},
		{Mode: ir.DetectInterfacePrefix, Interface: "cali"},
	}[rng.IntN(5)]
	if rng.IntN(2) == 0 {
		p.Masquerade = ir.Masquerade{}
	}
	p.Node.NodePorts = []ir.NodePortScope{
		p.Node.NodePorts, {}, {Prefixes: Prefixes("0.0.0.0/0", "::/0")}, {Addresses: Addrs("192.168.9.1")},
	}[rng.IntN(4)]
	p.Pools, p.Frontends, p.ClusterIPs = nil, nil, nil
	for i := range 8 {
		p.Pools = append(p.Pools, randomPool(rng, i))
	}
	for i := range 24 {
		p.Frontends = append(p.Frontends, randomFrontend(rng, p, i))
	}
	for _, f := range p.Frontends {
		if f.Kind == ir.ClusterIP {
			p.ClusterIPs = append(p.ClusterIPs, f.Match.Address)
		}
	}
	rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
	rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
	p.Normalize()
	p.ClusterIPs = slices.Compact(p.ClusterIPs)
	return p
}

// randomPool returns a pool: 0 to 3 are IPv4, 4 to 7 are IPv6; some are empty.
func randomPool(rng *rand.Rand, i int) ir.Pool {
	pool := ir.Pool{ID: fmt.Sprintf("pool-%d", i)}
	for range rng.IntN(5) {
		at := []string{"10.1.0.%d:8080", "10.1.2.%d:8080", "10.1.0.%d:8081"}[rng.IntN(3)]
		if i >= 4 {
			at = []string{"[fd00:10:1::%d]:8080", "[fd00:10:2::%d]:8080", "[fd00:10:1::%d]:8081"}[rng.IntN(3)]
		}
		a := netip.MustParseAddrPort(fmt.Sprintf(at, 2+rng.IntN(4)))
		local := a.Addr().Is4() && a.Addr().As4()[2] == 0 || a.Addr().Is6() && a.Addr().As16()[5] == 1
		if slices.ContainsFunc(pool.Endpoints, func(e ir.Endpoint) bool { return e.Address == a }) {
			continue
		}
		pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: a, Local: local, Weight: uint16(1 + rng.IntN(2))})
	}
	return pool
}

func randomFrontend(rng *rand.Rand, p *ir.Program, i int) ir.Frontend {
	kind := ir.FrontendKinds()[rng.IntN(4)]
	six := rng.IntN(2)
	at := fmt.Sprintf("%s:%d", []string{"10.96.0.%d", "[fd00:96::%d]"}[six], 30000+i)
	ranges := Prefixes("10.1.0.0/24", "192.0.2.0/24")
	if kind != ir.ClusterIP {
		at = fmt.Sprintf("%s:%d", []string{"203.0.113.%d", "[2001:db8:1::%d]"}[six], 30000+i)
	}
	at = fmt.Sprintf(at, 1+rng.IntN(3))
	if kind == ir.ExternalIP && rng.IntN(3) == 0 {
		// Use the node's own address, which may also serve a nodePort.
		at = fmt.Sprintf("%s:%d", []string{"192.168.9.1", "[fd00:9::1]"}[six], 30000+i)
	}
	if six == 1 {
		ranges = Prefixes("2001:db8:2::/48", "fd00:10:1::/64")
	}
	f := Frontend(kind, fmt.Sprintf("svc-%d", i/2), at, "")
	route := func() ir.Route {
		return ir.Route{
			Pool:       p.Pools[4*six+rng.IntN(4)].ID,
			Masquerade: ir.MasqueradeRules()[rng.IntN(3)],
			OnEmpty:    ir.Refusals()[rng.IntN(2)],
		}
	}
	f.Internal, f.External = route(), route()
	if rng.IntN(2) == 0 {
		f.External = f.Internal
	}
	switch rng.IntN(8) {
	case 0:
		f.SourceRanges = ranges
	case 1:
		f.SourceRanges = Prefixes([]string{"0.0.0.0/0", "::/0"}[six])
	}
	if rng.IntN(3) == 0 {
		f.Affinity = uint32(1 + rng.IntN(100000))
	}
	return f
}
