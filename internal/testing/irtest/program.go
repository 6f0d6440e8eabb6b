package irtest

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
)

// Frontend returns a frontend of a TCP Service port with two equal routes.
func Frontend(kind ir.FrontendKind, service, at, pool string) ir.Frontend {
	f := ir.Frontend{
		Kind:     kind,
		Service:  ir.ServicePort{Namespace: "shop", Name: service, Port: "http", Protocol: ir.TCP},
		Internal: ir.Route{Pool: pool, Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject},
	}
	f.External = f.Internal
	ap := netip.MustParseAddrPort(at)
	f.Match = ir.Match{Family: ir.FamilyOf(ap.Addr()), Protocol: ir.TCP, Port: ap.Port()}
	if kind != ir.NodePort {
		f.Match.Address = ap.Addr()
	}
	f.ID = fmt.Sprintf("shop/%s/http/tcp/%v/%v", service, kind, f.Match)
	return f
}

// Pool returns a pool; the prefix "+" marks an endpoint as local.
func Pool(id string, endpoints ...string) ir.Pool {
	p := ir.Pool{ID: id}
	for _, e := range endpoints {
		local := e[0] == '+'
		if local {
			e = e[1:]
		}
		p.Endpoints = append(p.Endpoints, ir.Endpoint{Address: netip.MustParseAddrPort(e), Local: local, Weight: 1})
	}
	return p
}

// Addrs parses addresses; it panics on an invalid one.
func Addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// Prefixes parses networks; it panics on an invalid one.
func Prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// KitchenSink returns a program with every kind of item in both families.
func KitchenSink() *ir.Program {
	p := &ir.Program{
		Node: ir.Node{
			Name:      "node-a",
			Addresses: Addrs("192.168.9.1", "fd00:9::1"),
			NodePorts: ir.NodePortScope{
				Addresses: Addrs("192.168.9.1", "fd00:9::1"), Prefixes: Prefixes("10.0.0.0/8", "fd00:10::/32"),
			},
			Local:        ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: Prefixes("10.1.0.0/24", "fd00:10:1::/64")},
			ServiceCIDRs: Prefixes("10.96.0.0/16", "fd00:96::/108"),
			DropInvalid:  true,
		},
		ClusterIPs: Addrs("10.96.0.1", "10.96.0.2", "fd00:96::1"),
		Masquerade: ir.Masquerade{Families: ir.Families(), Exclude: Prefixes("10.0.0.0/8", "172.16.0.0/12", "fd00::/8")},
		Pools: []ir.Pool{
			Pool("cart", "+10.1.0.2:8080", "10.1.1.2:8080", "10.1.2.2:8080"),
			Pool("cart-local", "+10.1.0.2:8080"),
			Pool("cart6", "+[fd00:10:1::2]:8080", "[fd00:10:2::2]:8080"),
			Pool("empty"),
			Pool("sticky", "+10.1.0.2:9090", "10.1.1.2:9090"),
			Pool("sticky-local", "+10.1.0.2:9090"),
		},
	}
	cluster := Frontend(ir.ClusterIP, "cart", "10.96.0.1:80", "cart")
	lb := Frontend(ir.LoadBalancer, "cart", "203.0.113.1:80", "cart")
	lb.External = ir.Route{Pool: "cart-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	lb.Internal.Masquerade = ir.MasqueradeAlways
	lb.SourceRanges = Prefixes("192.0.2.0/24", "198.51.100.7/32")
	nodePort := Frontend(ir.NodePort, "cart", "0.0.0.0:30080", "cart")
	nodePort.Internal, nodePort.External = lb.Internal, lb.External
	gone := Frontend(ir.ClusterIP, "gone", "10.96.0.2:80", "empty")
	goneLocal := Frontend(ir.NodePort, "gone-local", "0.0.0.0:30081", "cart")
	goneLocal.External = ir.Route{Pool: "empty", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	gonePort := Frontend(ir.NodePort, "gone", "0.0.0.0:30082", "empty")
	always := Frontend(ir.ExternalIP, "cart", "203.0.113.2:80", "cart")
	always.Internal.Masquerade, always.External.Masquerade = ir.MasqueradeAlways, ir.MasqueradeAlways
	p.Frontends = []ir.Frontend{cluster, lb, nodePort, gone, goneLocal, gonePort, always}
	for _, f := range []ir.Frontend{
		Frontend(ir.ClusterIP, "sticky", "10.96.0.1:90", "sticky"),
		Frontend(ir.LoadBalancer, "sticky", "203.0.113.3:90", "sticky"),
		Frontend(ir.NodePort, "sticky", "0.0.0.0:30090", "sticky"),
	} {
		f.Affinity = 10800
		if f.Kind != ir.ClusterIP {
			f.External = ir.Route{Pool: "sticky-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
		}
		p.Frontends = append(p.Frontends, f)
	}
	p.Frontends = append(p.Frontends, Frontend(ir.ClusterIP, "cart", "[fd00:96::1]:80", "cart6"))
	nodePort6 := Frontend(ir.NodePort, "cart", "[::]:30080", "cart6")
	nodePort6.External.Masquerade = ir.MasqueradeAlways
	p.Frontends = append(p.Frontends, nodePort6)
	p.Normalize()
	return p
}
