package ebpf

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// frontendOf returns a frontend of a Service port with both routes equal; at is
// "address:port" or "address:port/protocol".
func frontendOf(kind ir.FrontendKind, service string, protocol ir.Protocol, at, pool string) ir.Frontend {
	f := ir.Frontend{
		Kind:     kind,
		Service:  ir.ServicePort{Namespace: "shop", Name: service, Port: "http", Protocol: protocol},
		Internal: ir.Route{Pool: pool, Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject},
		Origin:   ir.Share(&ir.Origin{Kind: "Service", Namespace: "shop", Name: service, Path: "spec.ports[0]", File: "shop.yaml", Line: 7}),
	}
	f.External = f.Internal
	ap := netip.MustParseAddrPort(at)
	f.Match = ir.Match{Family: ir.FamilyOf(ap.Addr()), Protocol: protocol, Port: ap.Port()}
	where := f.Match.Family.String()
	if kind != ir.NodePort {
		f.Match.Address = ap.Addr()
		where = ap.Addr().String()
	}
	f.ID = fmt.Sprintf("shop/%s/http/%v/%v/%s:%d", service, protocol, kind, where, ap.Port())
	return f
}

// poolOf returns a pool; an endpoint that starts with "+" is local.
func poolOf(id string, endpoints ...string) ir.Pool {
	p := ir.Pool{ID: id}
	for _, e := range endpoints {
		local := e[0] == '+'
		if local {
			e = e[1:]
		}
		endpoint := ir.Endpoint{Address: netip.MustParseAddrPort(e), Local: local, Weight: 1}
		endpoint.SetOrigin(ir.Origin{Kind: "EndpointSlice", Namespace: "shop", Name: id, Path: "endpoints[0]", File: "shop.yaml", Line: 21})
		p.Endpoints = append(p.Endpoints, endpoint)
	}
	return p
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// kitchenSink is a program with every kind of item, in both families.
func kitchenSink() *ir.Program {
	weighted := poolOf("shop/weighted", "10.1.0.3:80", "10.1.1.3:80", "10.1.2.3:80")
	weighted.Endpoints[1].Weight, weighted.Endpoints[2].Weight = 2, 4
	p := &ir.Program{
		Node: ir.Node{
			Name:      "node-a",
			Addresses: addrs("192.168.9.1", "fd00:9::1"),
			NodePorts: ir.NodePortScope{
				Addresses: addrs("192.168.9.1"), Prefixes: prefixes("10.0.0.0/8", "::/0"),
			},
			Local:        ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: prefixes("10.1.0.0/24", "fd00:10:1::/64")},
			ServiceCIDRs: prefixes("10.96.0.0/16", "fd00:96::/108"),
			DropInvalid:  true,
		},
		ClusterIPs: addrs("10.96.0.1", "10.96.0.2", "fd00:96::1"),
		Masquerade: ir.Masquerade{Families: []ir.Family{ir.IPv4}, Exclude: prefixes("10.0.0.0/8", "172.16.0.0/12", "fd00::/8"), Origin: ir.Origin{File: "masq.yaml", Line: 1}},
		Pools: []ir.Pool{
			poolOf("shop/cart", "+10.1.0.2:8080", "10.1.1.2:8080", "10.1.2.2:8080"),
			poolOf("shop/cart-local", "+10.1.0.2:8080"),
			poolOf("shop/cart6", "+[fd00:10:1::2]:8080", "[fd00:10:2::2]:8080"),
			poolOf("shop/empty"), poolOf("shop/unused", "10.9.9.9:9"), weighted,
		},
	}
	lb := frontendOf(ir.LoadBalancer, "cart", ir.TCP, "203.0.113.1:80", "shop/cart")
	lb.External = ir.Route{Pool: "shop/cart-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	lb.SourceRanges = prefixes("192.0.2.0/24", "198.51.100.7/32")
	lb.Affinity = 10800
	second := lb
	second.ID, second.Match.Port = lb.ID+"-second", 81
	other := frontendOf(ir.LoadBalancer, "cart", ir.TCP, "[2001:db8:1::1]:80", "shop/cart6")
	other.SourceRanges = prefixes("2001:db8:2::/48")
	nodePort := frontendOf(ir.NodePort, "cart", ir.TCP, "0.0.0.0:30080", "shop/cart")
	nodePort.Internal.Masquerade, nodePort.External = ir.MasqueradeAlways, lb.External
	gone := frontendOf(ir.NodePort, "gone", ir.UDP, "[::]:30081", "shop/empty")
	gone.External.OnEmpty = ir.Drop
	p.Frontends = []ir.Frontend{
		frontendOf(ir.ClusterIP, "cart", ir.TCP, "10.96.0.1:80", "shop/cart"), lb, second, other, nodePort, gone,
		frontendOf(ir.ClusterIP, "cart", ir.TCP, "[fd00:96::1]:80", "shop/cart6"),
		frontendOf(ir.ExternalIP, "weighted", ir.UDP, "203.0.113.2:80", "shop/weighted"),
		frontendOf(ir.ClusterIP, "calls", ir.SCTP, "10.96.0.2:80", "shop/weighted"),
		frontendOf(ir.ClusterIP, "changed", ir.SCTP, "10.96.0.2:90", "shop/weighted"),
		frontendOf(ir.NodePort, "changed", ir.SCTP, "0.0.0.0:30090", "shop/weighted"),
	}
	p.Normalize()
	return p
}

// goldens are the programs whose text is kept.
func goldens() map[string]*ir.Program {
	hostile := kitchenSink()
	for i := range hostile.Frontends {
		f := &hostile.Frontends[i]
		f.ID = fmt.Sprintf("%02d a\"b\nsvc forged %s", i, f.ID)
	}
	for i := range hostile.Pools {
		o := hostile.Pools[i].Origin.Get()
		o.File = "x\x00\n"
		hostile.Pools[i].Origin = ir.Share(&o)
	}
	hostile.Node.Name = "n\u2028ode\xff"
	byInterface := kitchenSink()
	byInterface.Node.Local = ir.LocalDetector{Mode: ir.DetectInterfacePrefix, Interface: "veth"}
	return map[string]*ir.Program{
		"empty":         {Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}},
		"everything":    kitchenSink(),
		"hostile-names": hostile,
		"interface":     byInterface,
		"policies":      policed(),
		"dialects":      dialects(),
		"hostile-pods":  hostilePods(),
	}
}

func imageOf(t testing.TB, p *ir.Program) *Image {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the test's program is wrong: %v", err)
	}
	img, err := New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// shuffle randomizes the order of unordered lists and normalizes.
func shuffle(rng *rand.Rand, p *ir.Program) {
	rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
	rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
	for k := range p.Pools {
		e := p.Pools[k].Endpoints
		rng.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
	}
	shufflePolicy(rng, &p.Policy)
	p.Normalize()
}
