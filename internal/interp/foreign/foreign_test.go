package foreign_test

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var files = []string{"../../../examples/kube-proxy-migration/kube-proxy.nft", "../../../examples/kube-proxy-migration/kube-proxy.iptables", recorded}

func packet(src, dst string, port uint16) eval.Packet {
	return eval.Packet{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Protocol: ir.UDP, Port: port, From: eval.FromPod, Interface: "veth1"}
}

// TestKubeProxy asks what kube-proxy's rules do with single packets.
func TestKubeProxy(t *testing.T) {
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := foreign.New([]foreign.File{{Name: name, Text: text}}, []netip.Addr{netip.MustParseAddr("192.0.2.21")}, false)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rules.Eval(packet("10.244.0.2", "10.96.0.10", 53))
		if err != nil || r.Verdict != eval.DNAT || len(r.Endpoints) != 2 {
			t.Fatal(name, r, err)
		}
		if a, b := r.Endpoints[0], r.Endpoints[1]; !a.Masquerade || b.Masquerade || a.Share != 0.5 || a.Address != netip.MustParseAddrPort("10.244.0.2:53") {
			t.Errorf("%s: a pod of the Service gets %+v", name, r.Endpoints)
		}
		if r, err = rules.Eval(packet("203.0.113.1", "10.96.0.10", 53)); err != nil || !r.Masquerade {
			t.Errorf("%s: a client outside: %+v, %v", name, r, err)
		}
		if r, err = rules.Eval(packet("10.244.0.2", "203.0.113.1", 53)); err != nil || r.Verdict != eval.Pass || r.Masquerade {
			t.Errorf("%s: outside: %+v, %v", name, r, err)
		}
	}
}

// TestAffinity looks for the number of seconds for which a client keeps its endpoint.
func TestAffinity(t *testing.T) {
	const iptables = `*nat
:PREROUTING ACCEPT [0:0]
:SVC - [0:0]
:A - [0:0]
:B - [0:0]
[3:120] -A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j SVC
-A SVC -m recent --rcheck --seconds 90 --reap --name A --mask 255.255.255.255 --rsource -j A
-A SVC -m recent --rcheck --seconds 90 --reap --name B --mask 255.255.255.255 --rsource -j B
-A SVC -m statistic --mode random --probability 0.50000000000 -j A
-A SVC -j B
-A A -p udp -m recent --set --name A --mask 255.255.255.255 --rsource -m udp -j DNAT --to-destination 10.244.0.2:53
-A B -p udp -m recent --set --name B --mask 255.255.255.255 --rsource -m udp -j DNAT --to-destination 10.244.0.3:53
COMMIT
`
	const nft = `table ip kube-proxy {
	set a {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1m30s
		elements = { 10.9.9.9 expires 10s }
	}
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 10.96.0.10 udp dport 53 goto svc
	}
	chain svc {
		ip saddr @a goto a
		numgen random mod 2 vmap { 0 : goto a, 1 : goto b }
	}
	chain a {
		update @a { ip saddr }
		meta l4proto udp dnat to 10.244.0.2:53
	}
	chain b {
		meta l4proto udp dnat to 10.244.0.3:53
	}
}
`
	for text, want := range map[string]uint32{iptables: 90, nft: 90} {
		rules, err := foreign.New([]foreign.File{{Name: "rules", Text: []byte(text)}}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rules.Eval(packet("10.244.0.5", "10.96.0.10", 53))
		if text == nft { // one of the two endpoints keeps its clients, the other does not
			if err == nil {
				t.Errorf("clients keep endpoints by chance: %+v", r)
			}
			continue
		}
		if err != nil || r.Affinity != want || len(r.Endpoints) != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// FuzzNew wants neither a panic nor a hang, also when packets come to the rules.
func FuzzNew(f *testing.F) {
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte(balanced))
	f.Fuzz(func(_ *testing.T, text []byte) {
		rules, err := foreign.New([]foreign.File{{Name: "rules", Text: text}}, nil, true)
		if err != nil {
			return
		}
		_, _ = rules.Eval(packet("10.244.0.2", "10.96.0.10", 53))
	})
}

func asNotUnderstood(err error, to **foreign.NotUnderstood) bool { return errors.As(err, to) }
