package testkit_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/planec/planec/ir"
)

// sample is a small program of both families that has a frontend of every kind,
// an empty pool of each fate, source ranges, affinity and a pod on the host's
// network.
func sample(t testing.TB, d ir.LocalDetector) *ir.Program {
	t.Helper()
	p := &ir.Program{
		Node: ir.Node{
			Name:      "node-1",
			Addresses: []netip.Addr{addr("192.0.2.10"), addr("192.0.2.11"), addr("2001:db8::10")},
			NodePorts: ir.NodePortScope{
				Addresses: []netip.Addr{addr("192.0.2.10")},
				Prefixes:  []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")},
			},
			Local:        d,
			ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("fd00:96::/112")},
		},
		Masquerade: ir.Masquerade{
			Families: []ir.Family{ir.IPv4},
			Exclude:  []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		},
	}
	addFamily(p, ir.IPv4, "10.96.0.%d", "10.1.0.%d", "10.2.0.%d", "198.51.100.%d", "192.0.2.10", "203.0.113.0/25")
	addFamily(p, ir.IPv6, "fd00:96::%x", "fd00:1::%x", "fd00:2::%x", "2001:db8:5::%x", "2001:db8::10", "2001:db8:cafe::/49")
	p.Normalize()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("sample program: %v", err)
	}
	return p
}

// addFamily adds one family's Services; the patterns make addresses of
// ClusterIPs, local and remote pods and external VIPs from a number.
func addFamily(p *ir.Program, f ir.Family, service, local, remote, external, node, ranges string) {
	at := func(pattern string, n int) netip.Addr { return addr(fmt.Sprintf(pattern, n)) }
	pool := func(name string, endpoints ...ir.Endpoint) string {
		id := fmt.Sprintf("ns/%s/%v", name, f)
		p.Pools = append(p.Pools, ir.Pool{ID: id, Endpoints: endpoints})
		return id
	}
	here := func(n int, port uint16) ir.Endpoint {
		return ir.Endpoint{Address: netip.AddrPortFrom(at(local, n), port), Local: true, Weight: 1}
	}
	there := func(n int, port uint16) ir.Endpoint {
		return ir.Endpoint{Address: netip.AddrPortFrom(at(remote, n), port), Weight: 1}
	}
	add := func(name string, kind ir.FrontendKind, proto ir.Protocol, a netip.Addr, port uint16, in, out ir.Route) *ir.Frontend {
		p.Frontends = append(p.Frontends, ir.Frontend{
			ID: fmt.Sprintf("ns/%s/%v/%v/%v/%v", name, port, proto, kind, f), Kind: kind,
			Service:  ir.ServicePort{Namespace: "ns", Name: name, Protocol: proto},
			Match:    ir.Match{Family: f, Address: a, Protocol: proto, Port: port},
			Internal: in, External: out,
		})
		return &p.Frontends[len(p.Frontends)-1]
	}
	route := func(pool string, m ir.MasqueradeRule, e ir.Refusal) ir.Route {
		return ir.Route{Pool: pool, Masquerade: m, OnEmpty: e}
	}

	all := pool("web-cluster", here(5, 8080), here(6, 8080), there(7, 8080))
	own := pool("web-local", here(5, 8080), here(6, 8080))
	one := pool("dns", there(8, 5353))
	host := pool("host", ir.Endpoint{Address: netip.AddrPortFrom(addr(node), 9100), Local: true, Weight: 1}, there(9, 9100))
	none := pool("none")

	cluster := route(all, ir.MasqueradeUnlessLocalSource, ir.Reject)
	add("web", ir.ClusterIP, ir.TCP, at(service, 1), 80, cluster, cluster)
	add("web", ir.ExternalIP, ir.TCP, at(external, 1), 80, route(all, ir.MasqueradeUnlessLocalSource, ir.Reject), route(own, ir.MasqueradeNever, ir.Drop))
	lb := add("web", ir.LoadBalancer, ir.TCP, at(external, 2), 80, route(all, ir.MasqueradeAlways, ir.Reject), route(all, ir.MasqueradeAlways, ir.Reject))
	lb.SourceRanges = []netip.Prefix{netip.MustParsePrefix(ranges)}
	add("web", ir.NodePort, ir.TCP, netip.Addr{}, 30080, route(all, ir.MasqueradeUnlessLocalSource, ir.Reject), route(own, ir.MasqueradeNever, ir.Drop))

	add("dns", ir.ClusterIP, ir.UDP, at(service, 2), 53, route(one, ir.MasqueradeAlways, ir.Reject), route(one, ir.MasqueradeAlways, ir.Reject))
	sticky := add("host", ir.ClusterIP, ir.TCP, at(service, 3), 9100, route(host, ir.MasqueradeUnlessLocalSource, ir.Reject), route(host, ir.MasqueradeUnlessLocalSource, ir.Reject))
	sticky.Affinity = 10800
	add("host", ir.NodePort, ir.UDP, netip.Addr{}, 30091, route(host, ir.MasqueradeAlways, ir.Reject), route(host, ir.MasqueradeAlways, ir.Reject)).Service.Port = "u"

	add("sig", ir.ClusterIP, ir.SCTP, at(service, 1), 80, cluster, cluster)
	add("sig", ir.NodePort, ir.SCTP, netip.Addr{}, 30080, route(all, ir.MasqueradeUnlessLocalSource, ir.Reject), route(own, ir.MasqueradeNever, ir.Drop))

	add("none", ir.ClusterIP, ir.TCP, at(service, 4), 80, route(none, ir.MasqueradeNever, ir.Reject), route(none, ir.MasqueradeNever, ir.Reject))
	add("none", ir.ExternalIP, ir.UDP, at(external, 4), 80, route(none, ir.MasqueradeNever, ir.Reject), route(none, ir.MasqueradeNever, ir.Drop))
	add("none", ir.NodePort, ir.TCP, netip.Addr{}, 30099, route(none, ir.MasqueradeNever, ir.Reject), route(none, ir.MasqueradeNever, ir.Drop))
	for n := 1; n <= 4; n++ {
		p.ClusterIPs = append(p.ClusterIPs, at(service, n))
	}
}
