package loop

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
)

// nodePorts is a program with nodePorts of both families and protocols, and a ClusterIP.
func nodePorts() *ir.Program {
	frontend := func(kind ir.FrontendKind, f ir.Family, protocol ir.Protocol, port uint16, pool string) ir.Frontend {
		return ir.Frontend{
			Kind: kind, Match: ir.Match{Family: f, Protocol: protocol, Port: port}, Affinity: 30,
			Service:  ir.ServicePort{Namespace: "shop", Name: "web", Protocol: protocol},
			Internal: ir.Route{Pool: "internal"}, External: ir.Route{Pool: pool},
			Origin: ir.Share(&ir.Origin{Kind: "Service", Name: "web"}),
		}
	}
	return &ir.Program{
		Pools: []ir.Pool{
			{ID: "internal", Endpoints: []ir.Endpoint{{Address: netip.MustParseAddrPort("10.0.0.9:1")}}},
			{ID: "external", Endpoints: []ir.Endpoint{{Address: netip.MustParseAddrPort("10.0.0.1:8080")}, {Address: netip.MustParseAddrPort("10.0.0.2:8080")}}},
		},
		Frontends: []ir.Frontend{
			frontend(ir.NodePort, ir.IPv4, ir.TCP, 30090, "external"), frontend(ir.NodePort, ir.IPv4, ir.UDP, 30053, "external"),
			frontend(ir.NodePort, ir.IPv6, ir.TCP, 30080, "external"), frontend(ir.NodePort, ir.IPv4, ir.TCP, 30080, "gone"),
			frontend(ir.ClusterIP, ir.IPv4, ir.TCP, 80, "external"),
		},
	}
}

// TestLoopbackPorts adds fragments and removes them: TCP nodePorts of the enabled
// families are served by the endpoints of their external route.
func TestLoopbackPorts(t *testing.T) {
	port := func(f ir.Family, n uint16, endpoints ...string) localport.Port {
		p := localport.Port{
			Family: f, Number: n, Service: ir.ServicePort{Namespace: "shop", Name: "web", Protocol: ir.TCP},
			Affinity: 30 * time.Second, Origin: ir.Origin{Kind: "Service", Name: "web"},
		}
		for _, e := range endpoints {
			p.Endpoints = append(p.Endpoints, netip.MustParseAddrPort(e))
		}
		return p
	}
	equal := cmpopts.EquateComparable(netip.AddrPort{})
	for _, c := range []struct {
		families []ir.Family
		want     []localport.Port
	}{
		{nil, nil},
		{[]ir.Family{ir.IPv4}, []localport.Port{port(ir.IPv4, 30080), port(ir.IPv4, 30090, "10.0.0.1:8080", "10.0.0.2:8080")}},
		{ir.Families(), []localport.Port{port(ir.IPv4, 30080), port(ir.IPv6, 30080, "10.0.0.1:8080", "10.0.0.2:8080"), port(ir.IPv4, 30090, "10.0.0.1:8080", "10.0.0.2:8080")}},
	} {
		l := newLoopback(c.families)
		if l.changed != (len(c.families) > 0) {
			t.Errorf("%v: changed is %t at first", c.families, l.changed)
		}
		l.changed = false
		l.add(nodePorts(), 1)
		if l.changed != (len(c.want) > 0) {
			t.Errorf("%v: changed is %t after ports came", c.families, l.changed)
		}
		if d := cmp.Diff(c.want, l.list(), equal); d != "" || l.changed {
			t.Errorf("%v: changed %t: %s", c.families, l.changed, d)
		}
		l.add(nodePorts(), -1)
		if len(l.ports) != 0 || l.changed != (len(c.want) > 0) {
			t.Errorf("%v: %d ports are left, changed is %t", c.families, len(l.ports), l.changed)
		}
	}
}

// TestLoopbackFamilies: a family is served where a loopback range is named for it.
func TestLoopbackFamilies(t *testing.T) {
	config := objects.Config{}
	if got := loopbackFamilies(&config); len(got) != 0 {
		t.Errorf("without a range: %v", got)
	}
	config.NodePortAddresses.CIDRs = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if got := loopbackFamilies(&config); len(got) != 1 || got[0] != ir.IPv4 {
		t.Errorf("127.0.0.0/8: %v", got)
	}
}
