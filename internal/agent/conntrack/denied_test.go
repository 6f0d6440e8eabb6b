package conntrack

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/ir"
)

// policed has one pod, 10.1.0.7, which accepts only 10.2.0.1 on 80/tcp, and may
// connect only to 10.2.0.2 on 5353/udp.
func policed() *ir.Program {
	p := program(ir.UDP, "svc=1,2")
	set := func(id, addr string) ir.AddressSet {
		return ir.AddressSet{ID: id, Addresses: []netip.Addr{netip.MustParseAddr(addr)}}
	}
	tier := func(peer string, ports ir.PortRange) []ir.Tier {
		return []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Rules: []ir.Rule{{Action: ir.Accept, Peers: []string{peer}, Ports: []ir.PortRange{ports}}}}}
	}
	p.Policy = ir.Policy{
		OnDeny:      ir.Drop,
		AddressSets: []ir.AddressSet{set("a", "10.2.0.1"), set("b", "10.2.0.2")},
		Profiles: []ir.Profile{{
			ID: "n/p", Pods: []ir.Pod{{Namespace: "n", Name: "p", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.7")}}},
			Ingress: tier("a", ir.PortRange{Protocol: ir.TCP, First: 80, Last: 80}),
			Egress:  tier("b", ir.PortRange{Protocol: ir.UDP, First: 5353, Last: 5353}),
		}},
	}
	p.Normalize()
	return p
}

func TestDenied(t *testing.T) {
	denied := Denied(policed())
	make := func(proto ir.Protocol, src, dst, replySrc string) *Flow {
		return &Flow{Protocol: proto, Src: netip.MustParseAddrPort(src), Dst: netip.MustParseAddrPort(dst), ReplySrc: netip.MustParseAddrPort(replySrc)}
	}
	own := make(ir.TCP, "198.51.100.1:4000", "10.1.0.7:81", "10.1.0.7:81")
	own.SrcOwn = true
	related := make(ir.TCP, "10.2.0.9:4000", "10.1.0.7:81", "10.1.0.7:81")
	related.Related = true
	for _, test := range []struct {
		name string
		flow *Flow
		want bool
	}{
		{"egress to the endpoint that is allowed", make(ir.UDP, client, vip+":53", "10.2.0.2:5353"), false},
		{"egress to the one that is not", make(ir.UDP, client, vip+":53", "10.2.0.1:5353"), true},
		{"egress without translation", make(ir.UDP, client, "10.2.0.2:5353", "10.2.0.2:5353"), false},
		{"egress of another protocol", make(ir.TCP, client, "10.2.0.2:5353", "10.2.0.2:5353"), true},
		{"egress of no protocol with ports", make(ir.ICMP, "10.1.0.7:0", "10.2.0.2:0", "10.2.0.2:0"), true},
		{"ingress that is allowed", make(ir.TCP, "10.2.0.1:4000", "10.1.0.7:80", "10.1.0.7:80"), false},
		{"ingress to another port", make(ir.TCP, "10.2.0.1:4000", "10.1.0.7:81", "10.1.0.7:81"), true},
		{"ingress through a nodePort", make(ir.TCP, "10.2.0.9:4000", nodeAddr+":30080", "10.1.0.7:80"), true},
		{"ingress from the node's known address", make(ir.TCP, nodeAddr+":4000", "10.1.0.7:81", "10.1.0.7:81"), false},
		{"ingress from an address that only the kernel knows", own, false},
		{"a connection that another announced", related, false},
		{"between others", make(ir.TCP, "10.2.0.1:4000", "10.2.0.2:80", "10.2.0.2:80"), false},
	} {
		if got := denied(test.flow); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if Denied(program(ir.UDP, "svc=1"))(make(ir.TCP, "10.2.0.1:1", "10.1.0.7:81", "10.1.0.7:81")) {
		t.Error("a program without policies denies something")
	}
}
