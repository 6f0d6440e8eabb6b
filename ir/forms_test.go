package ir_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// program returns one that uses every field.
func program() *ir.Program {
	origin := ir.Origin{Kind: "Service", Namespace: "shop", Name: "web", Path: "spec.ports[0]", File: "a \"b\"\n.yaml", Line: 7}
	port := ir.ServicePort{Namespace: "shop", Name: "web", Port: "http", Protocol: ir.TCP}
	endpoint := ir.Endpoint{Address: netip.MustParseAddrPort("10.244.1.5:8080"), Local: true, Weight: 1}
	endpoint.SetOrigin(origin)
	element := ir.Endpoint{Address: netip.MustParseAddrPort("10.244.1.6:8080"), Weight: 1}
	element.SetElement(&ir.Origin{Kind: "EndpointSlice", Namespace: "shop", Name: "<web>", File: "a&b.yaml", Line: 9}, 12)
	shared := ir.Share(&origin)
	p := &ir.Program{
		Node: ir.Node{
			Name:      "node-a",
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::1")},
			NodePorts: ir.NodePortScope{
				Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.11")},
				Prefixes:  []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")},
			},
			Local:        ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}},
			ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")},
			DropInvalid:  true,
		},
		ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.0.10")},
		Masquerade: ir.Masquerade{
			Families: []ir.Family{ir.IPv4}, Exclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Origin: ir.Origin{File: "masq"},
		},
		HealthChecks: []ir.HealthCheck{{Namespace: "shop", Name: "web", Family: ir.IPv4, Port: 32000, LocalEndpoints: 2, Origin: origin}},
		Pools: []ir.Pool{
			{ID: "shop/web/http/tcp/ipv4/cluster", Origin: shared, Endpoints: []ir.Endpoint{
				endpoint, element,
				{Address: netip.MustParseAddrPort("10.244.2.5:8080"), Weight: 3},
			}},
			{ID: "shop/web/http/tcp/ipv4/local", Origin: shared},
		},
		Frontends: []ir.Frontend{
			{
				ID: "shop/web/http/tcp/load-balancer/198.51.100.10", Kind: ir.LoadBalancer, Service: port, Affinity: 60, Elsewhere: true, Origin: shared,
				Match:        ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("198.51.100.10"), Protocol: ir.TCP, Port: 80},
				SourceRanges: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/28")},
				Internal:     ir.Route{Pool: "shop/web/http/tcp/ipv4/cluster", Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Reject},
				External:     ir.Route{Pool: "shop/web/http/tcp/ipv4/local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop},
			},
			{
				ID: "shop/web/http/tcp/node-port/ipv4", Kind: ir.NodePort, Service: port, Origin: shared,
				Match:    ir.Match{Family: ir.IPv4, Protocol: ir.TCP, Port: 30080},
				Internal: ir.Route{Pool: "shop/web/http/tcp/ipv4/cluster", Masquerade: ir.MasqueradeAlways, OnEmpty: ir.Reject},
				External: ir.Route{Pool: "shop/web/http/tcp/ipv4/cluster", Masquerade: ir.MasqueradeAlways, OnEmpty: ir.Reject},
			},
		},
	}
	dns := p.Frontends[1]
	dns.ID, dns.Match.Port, dns.Match.Protocol, dns.Service.Protocol = "shop/web/http/udp/node-port/ipv4", 30053, ir.UDP, ir.UDP
	dns.Lasting = []netip.AddrPort{netip.MustParseAddrPort("10.244.3.5:53"), netip.MustParseAddrPort("10.244.3.6:53")}
	p.Frontends = append(p.Frontends, dns)
	p.Normalize()
	return p
}

var equate = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})

func TestFormsRoundTrip(t *testing.T) {
	want := program()
	if err := ir.Verify(want); err != nil {
		t.Fatal(err)
	}
	got, err := irtest.ParseText(want.Text())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, equate); d != "" {
		t.Errorf("text: %s", d)
	}
	j, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if got, err = ir.ParseJSON(j); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, equate); d != "" {
		t.Errorf("JSON: %s", d)
	}
}

func TestNormalizeForgetsOrder(t *testing.T) {
	want := program()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		p := program()
		rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
		rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
		for i := range p.Pools {
			e := p.Pools[i].Endpoints
			rng.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
		}
		p.Normalize()
		if !bytes.Equal(p.Text(), want.Text()) {
			t.Fatal("another order of the input gives another program")
		}
	}
}

// TestVerify breaks one invariant after the other.
func TestVerify(t *testing.T) {
	breaks := map[string]func(*ir.Program){
		"node: no name":                      func(p *ir.Program) { p.Node.Name = "" },
		"loopback":                           func(p *ir.Program) { p.Node.NodePorts.Addresses[0] = netip.MustParseAddr("127.0.0.1") },
		"mode none with 1 CIDRs":             func(p *ir.Program) { p.Node.Local.Mode = ir.DetectNone },
		"cannot be an interface":             func(p *ir.Program) { p.Node.Local = ir.LocalDetector{Mode: ir.DetectInterface, Interface: "a\"b"} },
		"not masked":                         func(p *ir.Program) { p.Node.ServiceCIDRs[0] = netip.MustParsePrefix("10.96.0.1/16") },
		"does not exist":                     func(p *ir.Program) { p.Frontends[0].Internal.Pool = "none" },
		"belongs to":                         func(p *ir.Program) { p.Frontends[1].Match = p.Frontends[0].Match; p.Frontends[1].Kind = ir.ExternalIP },
		"not after":                          func(p *ir.Program) { p.Frontends[1].ID = p.Frontends[0].ID },
		"that is elsewhere":                  func(p *ir.Program) { p.Frontends[1].Elsewhere = true },
		"lasting endpoints of TCP":           func(p *ir.Program) { p.Frontends[0].Lasting = p.Frontends[2].Lasting },
		"10.244.3.5:53: not after":           func(p *ir.Program) { slices.Reverse(p.Frontends[2].Lasting) },
		"no canonical address of its family": func(p *ir.Program) { p.Frontends[2].Lasting[0] = netip.MustParseAddrPort("[fd00::1]:53") },
		"is in pool":                         func(p *ir.Program) { p.Frontends[2].Lasting[0] = netip.MustParseAddrPort("10.244.1.5:8080") },
		"has no weight":                      func(p *ir.Program) { p.Pools[0].Endpoints[0].Weight = 0 },
		"of another family":                  func(p *ir.Program) { p.Pools[0].Endpoints[1].Address = netip.MustParseAddrPort("[fd00::1]:1") },
		"is no address and port":             func(p *ir.Program) { p.Pools[0].Endpoints[1].Address = netip.MustParseAddrPort("10.0.0.1:0") },
		"source ranges of another":           func(p *ir.Program) { p.Frontends[0].SourceRanges[0] = netip.MustParsePrefix("fd00::/8") },
		"is missing or taken":                func(p *ir.Program) { p.HealthChecks[0].Port = 0 },
		"frontend kind: unknown":             func(p *ir.Program) { p.Frontends[0].Kind = 9 },
		"masquerade rule: unknown":           func(p *ir.Program) { p.Frontends[0].Internal.Masquerade = 0 },
		"refusal: unknown":                   func(p *ir.Program) { p.Frontends[0].Internal.OnEmpty = 0 },
		"masquerade: families":               func(p *ir.Program) { p.Masquerade.Families = []ir.Family{ir.IPv6, ir.IPv4} },
		"clusterIPs: 10.96.0.10 is":          func(p *ir.Program) { p.ClusterIPs = append(p.ClusterIPs, p.ClusterIPs[0]) },
	}
	for want, breakIt := range breaks {
		p := program()
		breakIt(p)
		if err := ir.Verify(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestDisjointPrefixes(t *testing.T) {
	parse := func(s ...string) (out []netip.Prefix) {
		for _, v := range s {
			out = append(out, netip.MustParsePrefix(v))
		}
		return out
	}
	for _, c := range []struct{ in, want []netip.Prefix }{
		{parse("10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8"), parse("10.0.0.0/8")},
		{parse("10.0.0.7/24", "10.0.1.0/24"), parse("10.0.0.0/24", "10.0.1.0/24")},
		{parse("::/0", "0.0.0.0/0", "1.2.3.4/32"), parse("0.0.0.0/0", "::/0")},
		{nil, nil},
	} {
		if d := cmp.Diff(c.want, ir.DisjointPrefixes(c.in), equate, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	}
}

func FuzzParseText(f *testing.F) {
	f.Add(program().Text())
	f.Add([]byte("planec-ir 1\npool \"x\"\n  endpoint 1.2.3.4:5 local 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := irtest.ParseText(text)
		if err != nil {
			return
		}
		p.Normalize()
		if ir.Verify(p) != nil {
			return
		}
		again, err := irtest.ParseText(p.Text())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.Text(), p.Text()) {
			t.Fatal("the text form is not stable")
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	j, err := program().JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(j)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ir.ParseJSON(data)
		if err == nil && ir.Verify(p) == nil {
			if _, err := p.JSON(); err != nil {
				t.Fatalf("a program that verifies cannot be written: %v", err)
			}
		}
	})
}

// TestPolicyRoundTrips writes and reads random policies in both forms.
func TestPolicyRoundTrips(t *testing.T) {
	for seed := range uint64(100) {
		want := irtest.KitchenSink()
		irtest.AddRandomDialects(rand.New(rand.NewPCG(seed, 5)), want)
		if err := ir.Verify(want); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := irtest.ParseText(want.Text())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if d := cmp.Diff(want, got, equate); d != "" {
			t.Fatalf("seed %d: text: %s", seed, d)
		}
		j, err := want.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if got, err = ir.ParseJSON(j); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if d := cmp.Diff(want, got, equate); d != "" {
			t.Fatalf("seed %d: JSON: %s", seed, d)
		}
	}
}
