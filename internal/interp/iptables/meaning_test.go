package iptables_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestMeaning covers rules whose semantics in the kernel are easily misread. Each
// rule drops in a chain that a hook of its table leads to.
func TestMeaning(t *testing.T) {
	node := netip.MustParseAddr("192.0.2.11")
	outside := eval.Packet{Src: netip.MustParseAddr("203.0.113.7"), Dst: node, Protocol: ir.TCP, Port: 80, From: eval.FromOutside, Interface: "eth0"}
	forwarded := outside
	forwarded.Dst = netip.MustParseAddr("10.1.0.2")
	own := outside
	own.Src, own.From, own.Interface = node, eval.FromNode, ""
	late := outside
	late.Midstream = true
	unbound := own
	unbound.Src = netip.MustParseAddr("10.9.9.9")
	unbound.Dst = forwarded.Dst
	for _, c := range []struct {
		about, hook, match string
		packet             eval.Packet
		drops              bool
	}{
		{"an interface's name", "filter INPUT", "-i eth0", outside, true},
		{"the beginning of one", "filter FORWARD", "-i et+", forwarded, true},
		{"another name that begins so", "filter INPUT", "-i eth", outside, false},
		{"any interface", "filter INPUT", "-i +", outside, true},
		{"no packet that leaves has one that it came by", "mangle POSTROUTING", "-i eth0", forwarded, false},
		{"... which any is", "mangle POSTROUTING", "-i +", forwarded, true},
		{"... and not one of a name", "mangle OUTPUT", "! -i eth0", own, true},
		{"the node's own packets come in by lo", "filter INPUT", "-i lo", own, true},
		{"a bit anywhere", "filter INPUT", "-d 0.0.0.3/0.0.0.7", outside, true},
		{"another bit", "filter INPUT", "! -d 0.0.0.3/0.0.0.7", outside, false},
		{"a source of the node", "filter INPUT", "-m addrtype --src-type LOCAL", own, true},
		{"what the node sends is from itself", "filter OUTPUT", "-m addrtype ! --src-type LOCAL", unbound, false},
		{"a destination of the node", "filter INPUT", "-m addrtype --dst-type LOCAL", outside, true},
		{"a destination elsewhere", "filter FORWARD", "-m addrtype --dst-type LOCAL", forwarded, false},
		{"a first packet is new", "filter INPUT", "-m conntrack --ctstate INVALID,NEW", outside, true},
		{"... also in the midst of a connection", "filter INPUT", "-m conntrack --ctstate NEW", late, true},
		{"... and nothing else", "filter INPUT", "-m conntrack --ctstate INVALID,RELATED,ESTABLISHED,DNAT,SNAT", outside, false},
		{"a first segment", "filter INPUT", "-p tcp -m tcp --tcp-flags SYN SYN", outside, true},
		{"a later one", "filter INPUT", "-p tcp -m tcp ! --tcp-flags SYN SYN", late, true},
		{"another port", "filter INPUT", "-p tcp -m tcp ! --dport 80", outside, false},
		{"a range", "filter INPUT", "-p tcp -m multiport --dports 1,70:90", outside, true},
		{"certain", "filter INPUT", "-m statistic --mode random --probability 1.0", outside, true},
		{"no mark", "filter INPUT", "-m mark --mark 0x1/0x1", outside, false},
		{"without IPVS", "filter INPUT", "-m ipvs --ipvs", outside, false},
	} {
		table, hook, _ := strings.Cut(c.hook, " ")
		text := "*" + table + "\n:X - [0:0]\n-A X " + c.match + " -j DROP\n-A " + hook + " -j X\nCOMMIT\n"
		i, err := iptables.New(file("", text), []netip.Addr{node}, false)
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		if got, err := i.Eval(c.packet); err != nil || (got.Verdict == eval.Drop) != c.drops {
			t.Errorf("%s: %s: %v (%v)", c.about, c.match, got.Verdict, err)
		}
	}
}

// TestTranslated: later hooks see that a connection has an endpoint or the node's
// address, and its mark and sets persist.
func TestTranslated(t *testing.T) {
	const sets = "create clients hash:ip family inet timeout 60\ncreate marks hash:ip,port family inet skbinfo\nadd marks 10.96.0.1,tcp:80 skbmark 0x5/0xf\n"
	for rules, want := range map[string]eval.Result{
		"*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.2:8080\nCOMMIT\n*filter\n-A FORWARD -m conntrack ! --ctstate DNAT -j DROP\nCOMMIT\n": {
			Verdict: eval.DNAT,
		},
		"*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.2:8080\nCOMMIT\n*filter\n-A FORWARD -p tcp -m tcp --dport 8080 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n": {
			Verdict: eval.Reject,
		},
		"*nat\n:M - [0:0]\n-A M -j MASQUERADE\n-A PREROUTING -j SET --add-set clients src --exist --timeout 10\n-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.2:8080\n-A POSTROUTING -g M\n-A POSTROUTING -j ACCEPT\nCOMMIT\n": {
			Verdict: eval.DNAT, Masquerade: true, Affinity: 10,
		},
		"*mangle\n-A PREROUTING -j SET --map-set marks dst,dst --map-mark\nCOMMIT\n*filter\n-A FORWARD -m mark --mark 0x5/0xf -j DROP\nCOMMIT\n": {
			Verdict: eval.Drop,
		},
	} {
		i, err := iptables.New(file(sets, rules), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		packet := eval.Packet{Src: netip.MustParseAddr("203.0.113.7"), Dst: netip.MustParseAddr("10.96.0.1"), Protocol: ir.TCP, Port: 80, From: eval.FromOutside, Interface: "eth0"}
		got, err := i.Eval(packet)
		if err != nil || got.Verdict != want.Verdict || got.Masquerade != want.Masquerade || got.Affinity != want.Affinity {
			t.Errorf("%s: %+v (%v)", rules, got, err)
		}
	}
}
