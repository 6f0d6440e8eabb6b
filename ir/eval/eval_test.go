package eval_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// shop is a node with one load balancer of policy Local, filtered, and sticky.
func shop() *ir.Program {
	port := ir.ServicePort{Namespace: "shop", Name: "web", Port: "http", Protocol: ir.TCP}
	p := &ir.Program{
		Node: ir.Node{
			Name: "node-a", Addresses: []netip.Addr{addr("192.0.2.11")},
			NodePorts:    ir.NodePortScope{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.0.0/16")}},
			Local:        ir.LocalDetector{Mode: ir.DetectInterfacePrefix, Interface: "veth"},
			ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")},
		},
		ClusterIPs: []netip.Addr{addr("10.96.0.10")},
		Masquerade: ir.Masquerade{Families: []ir.Family{ir.IPv4}, Exclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		Pools: []ir.Pool{
			{ID: "all", Endpoints: []ir.Endpoint{
				{Address: netip.MustParseAddrPort("10.244.1.5:8080"), Local: true, Weight: 1},
				{Address: netip.MustParseAddrPort("10.244.2.5:8080"), Weight: 1},
			}},
			{ID: "none"},
		},
		Frontends: []ir.Frontend{
			{
				ID: "lb", Kind: ir.LoadBalancer, Service: port, Affinity: 60,
				Match:        ir.Match{Family: ir.IPv4, Address: addr("198.51.100.10"), Protocol: ir.TCP, Port: 80},
				SourceRanges: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("203.0.113.0/24")},
				Internal:     ir.Route{Pool: "all", Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject},
				External:     ir.Route{Pool: "none", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop},
			},
			{
				ID: "np", Kind: ir.NodePort, Service: port,
				Match:    ir.Match{Family: ir.IPv4, Protocol: ir.TCP, Port: 30080},
				Internal: ir.Route{Pool: "none", Masquerade: ir.MasqueradeAlways, OnEmpty: ir.Reject},
				External: ir.Route{Pool: "none", Masquerade: ir.MasqueradeAlways, OnEmpty: ir.Reject},
			},
		},
	}
	p.Normalize()
	return p
}

func TestEval(t *testing.T) {
	p := shop()
	if err := ir.Verify(p); err != nil {
		t.Fatal(err)
	}
	e := eval.New(p)
	for _, c := range []struct {
		name       string
		packet     eval.Packet
		want       eval.Verdict
		endpoints  int
		masquerade bool
		steps      []string
	}{
		{
			"a pod takes the shortcut",
			eval.Packet{Src: addr("10.244.1.9"), Dst: addr("198.51.100.10"), Port: 80, From: eval.FromPod, Interface: "veth3"},
			eval.DNAT, 2, false,
			[]string{"frontend", "source-ranges", "route", "pool", "affinity", "masquerade"},
		},
		{
			"the same address from outside does not",
			eval.Packet{Src: addr("10.244.1.9"), Dst: addr("198.51.100.10"), Port: 80, From: eval.FromOutside, Interface: "eth0"},
			eval.Drop, 0, false,
			[]string{"frontend", "source-ranges", "route", "pool"},
		},
		{
			"the node is masqueraded",
			eval.Packet{Src: addr("192.0.2.11"), Dst: addr("198.51.100.10"), Port: 80, From: eval.FromNode},
			eval.DNAT, 2, true,
			[]string{"frontend", "source-ranges", "route", "pool", "affinity", "masquerade"},
		},
		{
			"a pod may be given itself",
			eval.Packet{Src: addr("10.244.1.5"), Dst: addr("198.51.100.10"), Port: 80, From: eval.FromPod, Interface: "veth0"},
			eval.DNAT, 2, false,
			[]string{"frontend", "source-ranges", "route", "pool", "affinity", "masquerade", "hairpin"},
		},
		{
			"out of the ranges",
			eval.Packet{Src: addr("198.18.0.1"), Dst: addr("198.51.100.10"), Port: 80, From: eval.FromOutside},
			eval.Drop, 0, false,
			[]string{"frontend", "source-ranges"},
		},
		{
			"a nodePort without endpoints",
			eval.Packet{Src: addr("198.18.0.1"), Dst: addr("192.0.2.11"), Port: 30080, From: eval.FromOutside},
			eval.Reject, 0, false,
			[]string{"frontend", "route", "pool"},
		},
		{
			"in the prefix, but another node's",
			eval.Packet{Src: addr("10.1.1.1"), Dst: addr("192.0.2.12"), Port: 30080, From: eval.FromOutside},
			eval.Pass, 0, true,
			[]string{"pass", "masquerade"},
		},
		{
			"loopback is no nodePort address",
			eval.Packet{Src: addr("127.0.0.1"), Dst: addr("127.0.0.1"), Port: 30080, From: eval.FromNode},
			eval.Pass, 0, false,
			[]string{"pass"},
		},
		{
			"another port of a ClusterIP",
			eval.Packet{Src: addr("198.18.0.1"), Dst: addr("10.96.0.10"), Port: 81, From: eval.FromOutside},
			eval.Reject, 0, false,
			[]string{"cluster-ip"},
		},
		{
			"a service address of no Service",
			eval.Packet{Src: addr("198.18.0.1"), Dst: addr("10.96.7.7"), Port: 81, From: eval.FromOutside},
			eval.Drop, 0, false,
			[]string{"service-cidr"},
		},
		{
			"the node's own address is never left",
			eval.Packet{Src: addr("198.18.0.1"), Dst: addr("192.0.2.11"), Port: 22, From: eval.FromOutside},
			eval.Pass, 0, false,
			[]string{"pass"},
		},
	} {
		c.packet.Protocol = ir.TCP
		r := e.Eval(c.packet)
		var stages []string
		for _, s := range r.Steps {
			stages = append(stages, s.Stage)
		}
		if r.Verdict != c.want || len(r.Endpoints) != c.endpoints || r.Masquerade != c.masquerade || !slices.Equal(stages, c.steps) {
			t.Errorf("%s: %v to %d endpoints, masquerade %v, %v", c.name, r.Verdict, len(r.Endpoints), r.Masquerade, stages)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	e := eval.New(shop())
	p := eval.Packet{Src: addr("10.244.1.9"), Dst: addr("198.51.100.10"), Port: 80, Protocol: ir.TCP, From: eval.FromPod, Interface: "veth3"}
	for b.Loop() {
		e.Eval(p)
	}
}
