package conntrack

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/ir"
)

const (
	vip      = "10.96.0.10"
	nodeAddr = "192.0.2.11"
	client   = "10.1.0.7:40000"
)

// program returns one frontend of a protocol on vip:53 for each word "svc=a,b",
// with the endpoints 10.2.0.a:5353 and so on, and one nodePort 30053 for
// "node=a,b". The suffix "/l" puts an endpoint into the external route's pool
// instead; "/d" puts it into no pool, only into Lasting.
func program(proto ir.Protocol, words ...string) *ir.Program {
	p := &ir.Program{Node: ir.Node{
		Name: "a", Addresses: []netip.Addr{netip.MustParseAddr(nodeAddr)}, Local: ir.LocalDetector{Mode: ir.DetectNone},
		NodePorts:    ir.NodePortScope{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")},
	}}
	for _, w := range words {
		name, list, _ := strings.Cut(w, "=")
		f := ir.Frontend{
			ID: name, Kind: ir.ClusterIP, Service: ir.ServicePort{Namespace: "n", Name: name, Protocol: proto},
			Match:    ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr(vip), Protocol: proto, Port: 53},
			Internal: ir.Route{Pool: name, Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject},
			External: ir.Route{Pool: name + "/local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject},
		}
		if name == "node" {
			f.Kind, f.Match.Address, f.Match.Port = ir.NodePort, netip.Addr{}, 30053
		}
		pools := [2]ir.Pool{{ID: f.Internal.Pool}, {ID: f.External.Pool}}
		for _, e := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
			if number, drains := strings.CutSuffix(e, "/d"); drains {
				f.Lasting = append(f.Lasting, endpoint(number))
				continue
			}
			number, local := strings.CutSuffix(e, "/l")
			pool := &pools[0]
			if local {
				pool = &pools[1]
			}
			pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: endpoint(number), Weight: 1})
		}
		p.Frontends, p.Pools = append(p.Frontends, f), append(p.Pools, pools[:]...)
	}
	p.Normalize()
	return p
}

func endpoint(number string) netip.AddrPort {
	return netip.MustParseAddrPort("10.2.0." + number + ":5353")
}

// flow is a connection to dst that replySrc answers; ports may be omitted.
func flow(proto ir.Protocol, dst, replySrc string) *Flow {
	f := &Flow{
		Protocol: proto, Src: netip.MustParseAddrPort(client), Dst: netip.MustParseAddrPort(dst),
		ReplySrc: netip.MustParseAddrPort(replySrc), ReplyDst: netip.MustParseAddrPort(client),
	}
	f.DstOwn = f.Dst.Addr() == netip.MustParseAddr(nodeAddr) || f.Dst.Addr() == netip.MustParseAddr("198.51.100.1")
	return f
}

func TestStale(t *testing.T) {
	const (
		svc  = vip + ":53"
		node = nodeAddr + ":30053"
		one  = "10.2.0.1:5353"
		two  = "10.2.0.2:5353"
	)
	tests := []struct {
		name          string
		before, after string // words for program; "-" is no program
		stale, stays  []string
	}{
		{"nothing changed", "svc=1,2", "svc=1,2", nil, []string{svc + " " + one, svc + " 10.2.0.9:5353"}},
		{"an endpoint went", "svc=1,2", "svc=2", []string{svc + " " + one}, []string{svc + " " + two, "10.96.0.10:54 " + one, "10.96.0.11:53 " + one}},
		{"an endpoint came", "svc=1", "svc=1,2", []string{svc + " " + svc}, []string{svc + " " + one, svc + " " + two}},
		{"scaled to zero", "svc=1,2", "svc=", []string{svc + " " + one, svc + " " + two, svc + " " + svc, svc + " 10.2.0.9:5353"}, []string{"10.96.0.11:53 " + one}},
		{"scaled to zero while no agent ran", "-", "svc= node=", []string{svc + " " + one, node + " " + two}, []string{"10.96.0.10:54 10.96.0.10:54"}},
		{"deleted while no agent ran", "-", "svc=1", []string{"10.96.0.11:53 " + one, "10.96.0.10:54 " + one}, []string{svc + " " + one, "10.96.0.11:53 10.96.0.11:53", "203.0.113.5:53 " + one}},
		{"an endpoint drains", "svc=1,2", "svc=1,2/d", nil, []string{svc + " " + one, svc + " " + two}},
		{"all drain", "svc=1,2", "svc=1/d,2/d", nil, []string{svc + " " + one, svc + " " + two}},
		{"the last one that drained goes", "svc=1/d", "svc=", []string{svc + " " + one}, nil},
		{"one drains, another goes", "svc=1,2,3", "svc=1/d,3", []string{svc + " " + two}, []string{svc + " " + one}},
		{"gone with a draining endpoint", "svc=1/d", "", []string{svc + " " + one}, []string{svc + " " + two}},
		{"deleted", "svc=1", "", []string{svc + " " + one}, []string{svc + " " + two}},
		{"scaled up from zero", "svc=", "svc=1", []string{svc + " " + svc, svc + " " + two}, []string{svc + " " + one}},
		{"created", "", "svc=1", []string{svc + " " + svc}, []string{svc + " " + one}},
		{"created without endpoints", "", "svc=", []string{svc + " " + svc}, nil},
		{"another port of the same pod", "svc=1", "svc=1", nil, []string{svc + " 10.2.0.1:5354"}},
		{"a restart", "-", "svc=1 node=2", []string{svc + " " + two, node + " " + one}, []string{svc + " " + one, node + " " + two}},
		{"everything is removed", "svc=1 node=2", "-", []string{svc + " " + one, node + " " + two}, []string{svc + " " + two}},
		{"the endpoint stays for the other route", "svc=1,2", "svc=1/l,2", nil, []string{svc + " " + one, svc + " " + two}},
		{
			"nodePort", "node=1,2", "node=2",
			[]string{node + " " + one, node + " " + node},
			// A query of a foreign port, an own address out of scope.
			[]string{node + " " + two, "203.0.113.5:30053 203.0.113.5:30053", "192.0.2.99:30053 192.0.2.99:30053", "198.51.100.1:30053 198.51.100.1:30053"},
		},
		{"nodePort deleted", "node=1", "svc=1", []string{node + " " + one, svc + " " + svc}, []string{node + " " + node}},
	}
	for _, proto := range []ir.Protocol{ir.UDP, ir.SCTP} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%v/%s", proto, test.name), func(t *testing.T) {
				x := newIndex(Stale(parse(proto, test.before), parse(proto, test.after)))
				for _, want := range []bool{true, false} {
					flows := test.stays
					if want {
						flows = test.stale
					}
					for _, f := range flows {
						dst, replySrc, _ := strings.Cut(f, " ")
						if got := x.stale(flow(proto, dst, replySrc)); got != want {
							t.Errorf("%s: stale is %v", f, got)
						}
						if x.stale(flow(ir.TCP, dst, replySrc)) {
							t.Errorf("%s: TCP is stale", f)
						}
					}
				}
			})
		}
	}
}

func parse(proto ir.Protocol, words string) *ir.Program {
	if words == "-" {
		return nil
	}
	return program(proto, strings.Fields(words)...)
}

// TestStalePort has a pod whose port changes.
func TestStalePort(t *testing.T) {
	before, after := program(ir.UDP, "svc=1"), program(ir.UDP, "svc=1")
	i := slices.IndexFunc(after.Pools, func(p ir.Pool) bool { return p.ID == "svc" })
	after.Pools[i].Endpoints[0].Address = netip.MustParseAddrPort("10.2.0.1:5354")
	x := newIndex(Stale(before, after))
	if !x.stale(flow(ir.UDP, vip+":53", "10.2.0.1:5353")) || x.stale(flow(ir.UDP, vip+":53", "10.2.0.1:5354")) {
		t.Error("the port of an endpoint does not count")
	}
}

// TestStaleScope has a nodePort that is served on more addresses.
func TestStaleScope(t *testing.T) {
	before, after := program(ir.UDP, "node=1", "svc=1"), program(ir.UDP, "node=1", "svc=1")
	after.Node.NodePorts = ir.NodePortScope{Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	filters := Stale(before, after)
	if len(filters.Frontends) != 1 {
		t.Fatalf("%v", filters)
	}
	f := flow(ir.UDP, "198.51.100.1:30053", "198.51.100.1:30053")
	if !newIndex(filters).stale(f) {
		t.Error("a flow to the new address stays without an endpoint")
	}
}

func TestStaleIgnoresTCP(t *testing.T) {
	if got := Stale(program(ir.TCP, "svc=1,2", "node=1"), program(ir.TCP, "svc=2")); !got.Empty() {
		t.Errorf("%v", got)
	}
}

// TestStaleOfFragments wants the same result from the fragments of a change as
// from the whole programs.
func TestStaleOfFragments(t *testing.T) {
	before, after := program(ir.UDP, "svc=1,2", "node=1"), program(ir.UDP, "svc=1", "node=1")
	whole, part := Stale(before, after), Stale(program(ir.UDP, "svc=1,2"), program(ir.UDP, "svc=1"))
	if !reflect.DeepEqual(whole, part) || len(whole.Frontends) != 1 {
		t.Errorf("%v and %v", whole, part)
	}
}

func TestFilterString(t *testing.T) {
	filters := Stale(program(ir.UDP, "svc=1,2"), program(ir.UDP, "node=2,3"))
	var got []string
	for _, f := range filters.Frontends {
		got = append(got, f.String())
	}
	want := []string{"*4:30053/udp: flows to none of 2 endpoints", "10.96.0.10:53/udp: flows to 2 endpoints that are gone"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func BenchmarkStale(b *testing.B) {
	p := &ir.Program{}
	for i := range 30000 {
		id := fmt.Sprint(i)
		pool := ir.Pool{ID: id}
		for j := range 5 {
			pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(j), byte(i >> 8), byte(i)}), 53)})
		}
		route := ir.Route{Pool: id}
		p.Pools = append(p.Pools, pool)
		p.Frontends = append(p.Frontends, ir.Frontend{
			ID: id, Match: ir.Match{Family: ir.IPv4, Address: netip.AddrFrom4([4]byte{10, 96, byte(i >> 8), byte(i)}), Protocol: ir.UDP, Port: 53}, Internal: route, External: route,
		})
	}
	for b.Loop() {
		if f := Stale(p, p); !f.Empty() {
			b.Fatal("a program differs from itself")
		}
	}
}
