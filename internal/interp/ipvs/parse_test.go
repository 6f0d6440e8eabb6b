package ipvs_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// files returns one cluster's.
func files(t testing.TB, seed uint64) map[string][]byte {
	t.Helper()
	c := randomcluster.New(seed)
	p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	a, err := emitter.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, f := range a.Files {
		out[f.Name] = f.Data
	}
	return out
}

// TestStrict changes one file at a time to content that the tools would reject or
// that the interpreter does not know.
func TestStrict(t *testing.T) {
	for file, texts := range map[string][]string{
		"addresses.batch": {
			"link add x type bridge\n", "link set y up\n", "address add 10.0.0.0/8 dev planec-ipvs0\n",
			"address add 10.0.0.1/32 dev eth0\n", "route add 10.0.0.0/8 dev x\n", "link\n",
		},
		"sysctl.conf": {"net.ipv4.ip_forward=1\n", "kernel.panic = 1\n"},
		"ipvsadm.rules": {
			"-C\n", "-A -t 10.0.0.1:80\n", "-A -t 10.0.0.1:80 -s sed\n", "-A -t 10.0.0.1 -s rr\n", "-A -f 0 -s rr\n",
			"-A -t 10.0.0.1:80 -s rr -p 0\n", "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n",
			"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n", "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1\n",
			"-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r [fd00::1]:80 -m -w 1\n",
			"-A -f 7 -s rr -p 60\n-a -f 7 -r 10.0.0.2:80 -m -w 1\n", "-A -t 10.0.0.1:80  -s rr\n",
		},
		"ipset.rules": {
			"list\n", "create x hash:mac family inet hashsize 1024 maxelem 4\n", "add x 10.0.0.1\n", "swap a b\n",
			"create x hash:ip family inet hashsize 1024 maxelem 4\nadd x fd00::1\n",
			"create x hash:ip,port family inet hashsize 1024 maxelem 4\nadd x 10.0.0.1\n",
			"create x hash:net family inet hashsize 1024 maxelem 4\nadd x 0.0.0.0/0\n",
			"create x hash:ip,port family inet hashsize 1024 maxelem 4 skbinfo\nadd x 10.0.0.1,tcp:80\n",
			"create x hash:ip family inet hashsize 1024 maxelem 4 comment\nadd x 10.0.0.1 comment \"a\"b\n",
			"create x hash:ip family inet hashsize 1024 maxelem 4\ncreate x hash:net family inet hashsize 1024 maxelem 4\n",
			"create x hash:ip family inet hashsize 1024 maxelem 4\nadd x 10.0.0.1 nomatch\n",
			"create x hash:ip,port,net family inet hashsize 1024 maxelem 4\nadd x ,,\n",
			"create " + strings.Repeat("x", 32) + " hash:ip family inet hashsize 1024 maxelem 4\n",
		},
		"iptables.rules": {
			"-A INPUT -j DROP\n", "*raw\nCOMMIT\n", "*filter\n", "*filter\n-A NOWHERE -j DROP\nCOMMIT\n", "*filter\n:INPUT - [0:0]\nCOMMIT\n",
			"*filter\n-A INPUT -j NOWHERE\nCOMMIT\n", "*filter\n-A INPUT -g DROP\nCOMMIT\n", "*filter\n-A INPUT\nCOMMIT\n",
			"*filter\n-A INPUT -m string -j DROP\nCOMMIT\n", "*filter\n-A INPUT -m set --match-set none dst -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -s fd00::/8 -j DROP\nCOMMIT\n", "*filter\n-A INPUT -s 10.0.0.1/8 -j DROP\nCOMMIT\n",
			"*nat\n-A OUTPUT -j DROP\nCOMMIT\n", "*mangle\n-A OUTPUT -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n",
			"*filter\n-A INPUT -j SET --map-set plc-4-routes-node dst,dst --map-mark\nCOMMIT\n",
			"*filter\n-A INPUT -m set --match-set plc-4-vips dst,dst -j DROP\nCOMMIT\n", "*filter\n-A OUTPUT -i eth0 -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -p tcp -m tcp --dport 1,2 -j DROP\nCOMMIT\n", "*filter\n-A INPUT -p tcp -m udp --dport 1 -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -m multiport --dports 1,2 -j DROP\nCOMMIT\n", "*filter\n-A INPUT -p no-such -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP\nCOMMIT\n", "*filter\n-A INPUT -p icmp -m icmp6 --icmpv6-type 135 -j DROP\nCOMMIT\n",
			"*filter\n-A INPUT -j DROP -m ipvs --ipvs\nCOMMIT\n", strings.Repeat("x", 5000) + "\n",
		},
	} {
		for _, text := range texts {
			all := files(t, 1)
			all[file] = append(bytes.Clone(all[file]), text...)
			if _, err := ipvs.New(func(n string) []byte { return all[n] }, nil, false); err == nil {
				t.Errorf("%s: no error for %.100q", file, text)
			}
		}
	}
}

// FuzzFiles wants a result or an error, quickly, for any files.
func FuzzFiles(f *testing.F) {
	for seed := range uint64(8) {
		all := files(f, seed)
		f.Add(all["addresses.batch"], all["ipset.rules"], all["ipvsadm.rules"], all["iptables.rules"], all["iptables-jumps.rules"], all["sysctl.conf"])
	}
	f.Add([]byte(nil), []byte(nil), []byte(nil), []byte("*filter\n:A - [0:0]\n-A A -j A\n-A A -j A\n-A INPUT -j A\nCOMMIT\n"), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, addresses, sets, services, rules, jumps, sysctl []byte) {
		i, err := ipvs.New(func(name string) []byte {
			return map[string][]byte{
				"addresses.batch": addresses, "ipset.rules": sets, "ipvsadm.rules": services,
				"iptables.rules": rules, "iptables-jumps.rules": jumps, "sysctl.conf": sysctl,
			}[name]
		}, []netip.Addr{netip.MustParseAddr("192.0.2.11")}, true)
		if err != nil {
			return
		}
		for _, from := range []eval.Entry{eval.FromPod, eval.FromNode, eval.FromOutside} {
			for _, dst := range []string{"10.96.0.10", "192.0.2.11", "198.51.100.100"} {
				_, _ = i.Eval(eval.Packet{Src: netip.MustParseAddr("10.244.1.2"), Dst: netip.MustParseAddr(dst), Protocol: ir.TCP, Port: 80, From: from, Interface: "veth0"})
			}
		}
	})
}

// TestForwarding: packets to other hosts are forwarded if the family's sysctl allows it.
func TestForwarding(t *testing.T) {
	all := files(t, 1)
	all["sysctl.conf"] = append(bytes.Clone(all["sysctl.conf"]), "net.ipv6.conf.all.forwarding = 0\n"...)
	i, err := ipvs.New(func(n string) []byte { return all[n] }, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]eval.Verdict{"198.18.0.1": eval.Pass, "2001:db8:9::1": eval.Drop} {
		a := netip.MustParseAddr(src)
		got, err := i.Eval(eval.Packet{Src: a, Dst: a.Next(), Protocol: ir.TCP, Port: 9, From: eval.FromOutside, Interface: "eth0"})
		if err != nil || got.Verdict != want {
			t.Errorf("from %s: %v (%v), want %v", src, got.Verdict, err, want)
		}
	}
}
