package testkit_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// handRules are rules for one family that use most features. Packets from local
// pods, recognized by the interface, get a mark; only other packets are
// masqueraded on their way to the VIP.
const handRules = `table FAMILY hand {
	chain services {
		FAMILY daddr VIP4LOCAL meta l4proto { tcp, udp, sctp } th dport 80 dnat to POD:8080
		FAMILY daddr VIP4REMOTE meta l4proto { tcp, udp, sctp } th dport 80 dnat to REMOTE:8080
		FAMILY daddr VIP4TWO meta l4proto { tcp, udp, sctp } th dport 80 dnat FAMILY addr . port to numgen random mod 2 map { 0 : POD . 8080, 1 : REMOTE . 8080 }
		FAMILY daddr NODE meta l4proto { tcp, udp, sctp } th dport 30080 dnat to POD:8080
		FAMILY daddr NODE meta l4proto { tcp, udp, sctp } th dport 30081 dnat to NODE:9090
	}
	chain prerouting {
		type nat hook prerouting priority dstnat
		IIF meta mark set 1
		jump services
	}
	chain output {
		type nat hook output priority -100
		jump services
	}
	chain refuse {
		FAMILY daddr VIPREJECT reject
		FAMILY daddr VIPDROP drop
	}
	chain forward {
		type filter hook forward priority filter
		jump refuse
	}
	chain outgoing {
		type filter hook output priority filter
		jump refuse
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		FAMILY saddr POD FAMILY daddr POD masquerade fully-random
		meta mark 0 ct status dnat masquerade fully-random
	}
}
`

// cast has the names in handRules for one family.
type cast struct {
	family ir.Family
	names  map[string]string
}

func casts() []cast {
	return []cast{
		{ir.IPv4, map[string]string{
			"FAMILY": "ip", "POD": "10.1.0.5", "POD2": "10.1.0.6", "REMOTE": "10.2.0.7", "NODE": "192.0.2.10", "CLIENT": "203.0.113.9",
			"VIP4LOCAL": "10.96.0.1", "VIP4REMOTE": "10.96.0.2", "VIP4TWO": "10.96.0.3", "VIPREJECT": "10.96.0.4", "VIPDROP": "10.96.0.5",
		}},
		{ir.IPv6, map[string]string{
			"FAMILY": "ip6", "POD": "fd00:1::5", "POD2": "fd00:1::6", "REMOTE": "fd00:2::7", "NODE": "2001:db8::10", "CLIENT": "2a00::9",
			"VIP4LOCAL": "fd00:96::1", "VIP4REMOTE": "fd00:96::2", "VIP4TWO": "fd00:96::3", "VIPREJECT": "fd00:96::4", "VIPDROP": "fd00:96::5",
		}},
	}
}

// rules writes handRules with the names replaced; the longest names first.
func (c cast) rules(iif string) string {
	var pairs []string
	for _, name := range []string{"VIP4LOCAL", "VIP4REMOTE", "VIP4TWO", "VIPREJECT", "VIPDROP", "REMOTE", "NODE", "FAMILY"} {
		pairs = append(pairs, name, c.names[name])
	}
	pod := c.names["POD"]
	text := handRules
	if c.family == ir.IPv6 {
		text = strings.NewReplacer("to POD:", "to ["+pod+"]:", "to REMOTE:", "to ["+c.names["REMOTE"]+"]:", "to NODE:", "to ["+c.names["NODE"]+"]:").Replace(text)
	}
	return strings.NewReplacer(append(pairs, "POD", pod, "IIF", iif)...).Replace(text)
}

func (c cast) addr(name string) netip.Addr { return addr(c.names[name]) }

func (c cast) choice(name string, port uint16, masquerade bool) eval.Choice {
	return eval.Choice{Address: netip.AddrPortFrom(c.addr(name), port), Masquerade: masquerade}
}

// question is a flow and what handRules must do to it.
type question struct {
	from     eval.Entry
	src, dst string
	port     uint16
	want     eval.Result
}

func dnat(choices ...eval.Choice) eval.Result {
	return eval.Result{Verdict: eval.DNAT, Endpoints: choices}
}

// questions depend on whether the rules can recognize pods by their interfaces.
func (c cast) questions(detects bool) []question {
	drop, reject := eval.Result{Verdict: eval.Drop}, eval.Result{Verdict: eval.Reject}
	pass := eval.Result{Verdict: eval.Pass}
	local := func(masquerade bool) eval.Result { return dnat(c.choice("POD", 8080, masquerade)) }
	remote := func(masquerade bool) eval.Result { return dnat(c.choice("REMOTE", 8080, masquerade)) }
	return []question{
		{eval.FromPod, "POD2", "VIP4LOCAL", 80, local(!detects)},
		{eval.FromPod, "POD", "VIP4LOCAL", 80, local(true)},
		{eval.FromPod, "POD", "VIP4REMOTE", 80, remote(!detects)},
		{eval.FromPod, "POD", "VIP4TWO", 80, dnat(c.choice("POD", 8080, true), c.choice("REMOTE", 8080, !detects))},
		{eval.FromPod, "POD", "NODE", 30080, local(true)},
		{eval.FromPod, "POD2", "NODE", 30081, dnat(c.choice("NODE", 9090, false))},
		{eval.FromPod, "POD", "VIP4LOCAL", 81, pass},
		{eval.FromPod, "POD", "VIPREJECT", 80, reject},
		{eval.FromPod, "POD", "VIPDROP", 80, drop},
		{eval.FromPod, "POD", "CLIENT", 443, pass},
		{eval.FromPod, "POD", "POD2", 443, pass},
		{eval.FromNode, "NODE", "VIP4LOCAL", 80, local(true)},
		{eval.FromNode, "NODE", "VIP4REMOTE", 80, remote(true)},
		{eval.FromNode, "NODE", "NODE", 30080, local(true)},
		{eval.FromNode, "NODE", "NODE", 30081, dnat(c.choice("NODE", 9090, true))},
		{eval.FromNode, "NODE", "VIPREJECT", 80, reject},
		{eval.FromNode, "NODE", "VIPDROP", 80, drop},
		{eval.FromOutside, "CLIENT", "VIP4LOCAL", 80, local(true)},
		{eval.FromOutside, "CLIENT", "VIP4REMOTE", 80, remote(true)},
		{eval.FromOutside, "REMOTE", "VIP4REMOTE", 80, remote(true)},
		{eval.FromOutside, "CLIENT", "NODE", 30080, local(true)},
		{eval.FromOutside, "CLIENT", "NODE", 30081, dnat(c.choice("NODE", 9090, false))},
		{eval.FromOutside, "CLIENT", "NODE", 30082, pass},
		{eval.FromOutside, "CLIENT", "VIPREJECT", 80, reject},
		{eval.FromOutside, "CLIENT", "VIPDROP", 80, drop},
		{eval.FromOutside, "CLIENT", "POD", 80, pass},
	}
}

// flows asks every question over every protocol.
func (c cast) flows(qs []question) (flows []testkit.Flow, want []eval.Result) {
	for _, p := range ir.Protocols() {
		for _, q := range qs {
			flows = append(flows, testkit.Flow{From: q.from, Src: c.addr(q.src), Dst: c.addr(q.dst), Protocol: p, Port: q.port})
			want = append(want, q.want)
		}
	}
	return flows, want
}

// TestHandWrittenRules compares the rig with rules of known effect.
func TestHandWrittenRules(t *testing.T) {
	testkit.Require(t, "nft")
	match := map[string]string{"none": `iifname "nothing"`, "prefix": `iifname "cali*"`, "bridge": `iifname "cni0"`}
	for name, d := range detectors() {
		for _, c := range casts() {
			t.Run(fmt.Sprintf("%s/%v", name, c.family), func(t *testing.T) {
				t.Parallel()
				s := spec(d)
				s.Ports = []testkit.Port{
					{Protocol: ir.TCP, Number: 8080},
					{Protocol: ir.UDP, Number: 8080},
					{Protocol: ir.TCP, Number: 9090},
					{Protocol: ir.UDP, Number: 9090},
				}
				r := testkit.New(t, s)
				if err := r.LoadNFT(c.rules(match[name])); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				flows, want := c.flows(c.questions(name != "none"))
				outcomes, err := r.Try(t.Context(), flows, testkit.DefaultTimeout)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d flows: %v", len(flows), time.Since(begin))
				for i, o := range outcomes {
					if err := testkit.Compare(flows[i], want[i], o, r.NodeAddrs()); err != nil {
						t.Errorf("%v (in by %q): %v", flows[i], r.Packet(flows[i]).Interface, err)
					}
				}
			})
		}
	}
}
