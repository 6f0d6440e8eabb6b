package iptables_test

import (
	"testing"

	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/testing/testkit"
)

// lines are rules with their table, and whether the tools and the kernel accept
// them. The interpreter accepts a subset of the accepted ones.
var lines = []struct {
	table, rule    string
	taken, notRead bool
}{
	{table: "filter", rule: "-A INPUT -s 10.0.0.0/8 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -s 10.0.0.1/8 -j DROP", taken: true, notRead: true}, // which is 10.0.0.0/8 then
	{table: "filter", rule: "-A INPUT -d 0.0.0.1/0.0.0.7 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -s fd00::/8 -j DROP"},
	{table: "filter", rule: "-A INPUT -i + -j DROP", taken: true},
	{table: "filter", rule: "-A OUTPUT -i eth0 -j DROP"},
	{table: "nat", rule: "-A POSTROUTING -i eth0 -j ACCEPT"},
	{table: "filter", rule: "-A INPUT -i sixteen-letters0 -j DROP"},
	{table: "filter", rule: "-A INPUT -p tcp -m tcp --dport 80:90 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -p tcp -m tcp --dport 80,90 -j DROP"},
	{table: "filter", rule: "-A INPUT -p tcp -m udp --dport 80 -j DROP"},
	{table: "filter", rule: "-A INPUT -m tcp --dport 80 -j DROP"},
	{table: "filter", rule: "-A INPUT ! -p tcp -m multiport --dports 1,2 -j DROP"},
	{table: "filter", rule: "-A INPUT -p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 -j DROP"},
	{table: "filter", rule: "-A INPUT -p tcp -m tcp ! --tcp-flags SYN SYN -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m tcp --tcp-flags SYN SYN -j DROP"},
	{table: "filter", rule: "-A INPUT -p ipv6-icmp -j DROP", taken: true, notRead: true}, // a number to iptables
	{table: "filter", rule: "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT,SNAT -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m conntrack --ctstate OLD -j DROP"},
	{table: "filter", rule: "-A INPUT -m addrtype ! --src-type LOCAL -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m statistic --mode random --probability 0.5 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m statistic --mode random --probability 1.5 -j DROP"},
	{table: "filter", rule: "-A INPUT -m mark ! --mark 0x5/0x7 -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m mark --mark x -j DROP"},
	{table: "filter", rule: "-A INPUT -m set --match-set none dst -j DROP"},
	{table: "filter", rule: "-A INPUT -m set ! --match-set pairs dst,dst,src -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -m set --match-set pairs dst,middle,src -j DROP"},
	{table: "filter", rule: "-A INPUT ! -m tcp -j DROP"},
	{table: "filter", rule: "-A INPUT -m comment --comment \"a b\" -j DROP", taken: true},
	{table: "filter", rule: "-A INPUT -j REJECT --reject-with icmp-port-unreachable", taken: true},
	{table: "filter", rule: "-A INPUT -j REJECT --reject-with icmp6-port-unreachable"},
	{table: "mangle", rule: "-A INPUT -j REJECT --reject-with icmp-port-unreachable"},
	{table: "filter", rule: "-A INPUT -j NOWHERE"},
	{table: "filter", rule: "-A INPUT -j OUTPUT"},
	{table: "filter", rule: "-A INPUT -g DROP"},
	{table: "filter", rule: "-A NOWHERE -j DROP"},
	{table: "filter", rule: "-A INPUT -j MASQUERADE"},
	{table: "nat", rule: "-A POSTROUTING -j MASQUERADE", taken: true},
	{table: "nat", rule: "-A OUTPUT -j MASQUERADE --random-fully"},
	{table: "nat", rule: "-A OUTPUT -j DROP"},
	{table: "nat", rule: "-A OUTPUT -p tcp -j DNAT --to-destination 10.0.0.1:80", taken: true},
	{table: "nat", rule: "-A OUTPUT -j DNAT --to-destination 10.0.0.1:80"},
	{table: "nat", rule: "-A POSTROUTING -p tcp -j DNAT --to-destination 10.0.0.1:80"},
	{table: "nat", rule: "-A OUTPUT -p tcp -j DNAT --to-destination [fd00::1]:80"},
	{table: "mangle", rule: "-A OUTPUT -j MARK --set-xmark 0x4/0x0", taken: true},
	{table: "mangle", rule: "-A OUTPUT -j SET --map-set marks dst,dst --map-mark", taken: true},
	{table: "filter", rule: "-A OUTPUT -j SET --map-set marks dst,dst --map-mark"},
	{table: "nat", rule: "-A OUTPUT -j SET --add-set clients src --exist --timeout 60", taken: true},
	{table: "nat", rule: "-A OUTPUT -j SET --del-set clients src", taken: true},
}

const lineSets = "create pairs hash:ip,port,ip family inet\ncreate marks hash:ip,port family inet skbinfo\ncreate clients hash:ip family inet timeout 0\n"

// TestToolsTakeWhatIsRead loads every line with both variants of the tools: the
// interpreter must not accept what they reject.
func TestToolsTakeWhatIsRead(t *testing.T) {
	for _, l := range lines {
		text := "*" + l.table + "\n" + l.rule + "\nCOMMIT\n"
		_, err := iptables.New(file(lineSets, text), nil, false)
		if read := err == nil; read != (l.taken && !l.notRead) {
			t.Errorf("%s: %v", l.rule, err)
		}
	}
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			testkit.Require(t, "ipset", "iptables-"+variant+"-restore")
			r := testkit.New(t, testkit.Spec{})
			if _, err := r.Run(lineSets, "ipset", "restore"); err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				text := "*" + l.table + "\n" + l.rule + "\nCOMMIT\n"
				_, err := r.Run(text, "iptables-"+variant+"-restore")
				if taken := err == nil; taken != l.taken {
					t.Errorf("%s: taken is %v: %v", l.rule, taken, err)
				}
			}
		})
	}
}
