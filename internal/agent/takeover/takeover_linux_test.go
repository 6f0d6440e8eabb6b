package takeover_test

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/agent/takeover"
	"github.com/planec/planec/internal/testing/testkit"
)

// proxyRules are rules as kube-proxy's iptables mode and kubelet write them, with
// foreign ones among them.
const proxyRules = `*mangle
:KUBE-IPTABLES-HINT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-PROXY-CANARY - [0:0]
COMMIT
*nat
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-BBBBBBBBBBBBBBBB - [0:0]
:OTHER - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "-j KUBE-SERVICES is what this does not do" -j OTHER
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-AAAAAAAAAAAAAAAA -s 10.1.2.1/32 -m comment --comment "shop/cart" -j KUBE-MARK-MASQ
-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "shop/cart" -m tcp -j DNAT --to-destination 10.1.2.1:8080
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/cart cluster IP" -m tcp --dport 80 -j KUBE-SVC-BBBBBBBBBBBBBBBB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-BBBBBBBBBBBBBBBB -j KUBE-SEP-AAAAAAAAAAAAAAAA
-A OTHER -d 203.0.113.1/32 -j RETURN
COMMIT
*filter
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-A FORWARD -j KUBE-FORWARD
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
`

// closedRules additionally have a firewall that drops what only kube-proxy's chains accept.
var closedRules = strings.NewReplacer("*filter\n", "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:KUBE-NODEPORTS - [0:0]\n",
	"-A FORWARD -j KUBE-FORWARD\n", `-A FORWARD -j KUBE-FORWARD
-A INPUT -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 31090 -j ACCEPT
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
`).Replace(proxyRules)

// TestFromKubeProxy wants kube-proxy's rules to be removed and all others to stay,
// in real kernels' tables of every kind.
func TestFromKubeProxy(t *testing.T) {
	testkit.Require(t, "nft", "iptables-legacy-restore", "iptables-nft-restore", "ipset")
	for _, c := range []struct {
		name, backend, rules string
		kept, gone           []string
	}{
		{"kube-proxy alone", "nftables", proxyRules, []string{"KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY", "KUBE-FIREWALL", "OTHER"}, []string{"KUBE-S", "KUBE-PROXY", "KUBE-MARK", "KUBE-POST", "KUBE-NODE", "KUBE-FORWARD"}},
		{
			"another program marks packets with its chain", "nftables", strings.Replace(proxyRules, "-A OTHER ", "-A OTHER -d 203.0.113.9/32 -j KUBE-MARK-MASQ\n-A OTHER ", 1),
			[]string{"KUBE-MARK-MASQ", "KUBE-POSTROUTING", "OTHER"},
			[]string{"KUBE-S", "KUBE-PROXY", "KUBE-NODE", "KUBE-FORWARD"},
		},
		{
			"a firewall that drops all else", "nftables", closedRules,
			[]string{"-A FORWARD -j KUBE-FORWARD", "-A KUBE-FORWARD -m mark", "-A INPUT -j KUBE-NODEPORTS", "--dport 31090"},
			[]string{"KUBE-S", "KUBE-PROXY", "KUBE-MARK", "KUBE-POST"},
		},
		{"a firewall, and rules that accept", "iptables", closedRules, []string{"KUBE-FIREWALL"}, []string{"KUBE-S", "KUBE-PROXY", "KUBE-FORWARD", "KUBE-NODE"}},
	} {
		for _, variant := range []string{"legacy", "nft"} {
			t.Run(c.name+"/"+variant, func(t *testing.T) {
				r := testkit.New(t, testkit.Spec{})
				err := r.Do(func() error {
					run(t, c.rules, "iptables-"+variant+"-restore", "--noflush")
					run(t, "table ip kube-proxy { chain services { }\n}\ntable ip6 kube-proxy { }\ntable ip other { }\n", "nft", "-f", "-")
					run(t, "create KUBE-CLUSTER-IP hash:ip,port\ncreate OTHER hash:ip\n", "ipset", "restore")
					if _, _, err := takeover.FromKubeProxy(t.Context(), c.backend); err != nil {
						return err
					}
					tables, err := testkit.NFTObjects()
					if err != nil {
						return err
					}
					rest := run(t, "", "iptables-"+variant+"-save") + strings.Join(tables, "\n") + "\n" + run(t, "", "ipset", "list", "-n")
					for _, want := range append(c.kept, "table ip other") {
						if !strings.Contains(rest, want) {
							t.Errorf("%s is gone; left is\n%s", want, rest)
						}
					}
					for _, gone := range append(c.gone, "kube-proxy", "KUBE-CLUSTER-IP") {
						for line := range strings.Lines(rest) {
							if strings.Contains(line, gone) && !strings.Contains(line, "does not do") {
								t.Errorf("%s is left: %s", gone, line)
							}
						}
					}
					removed, _, err := takeover.FromKubeProxy(t.Context(), c.backend)
					if len(removed) > 0 {
						t.Errorf("a second time it removes %v", removed)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// TestTables wants tables with this name to be removed only in the calling thread's namespace,
// and only in the families of Services; without the privilege, an error names what is missing.
func TestTables(t *testing.T) {
	testkit.Require(t, "nft")
	const text = "table ip kube-proxy { }\ntable ip6 kube-proxy { }\ntable inet kube-proxy { }\n"
	here, elsewhere := testkit.New(t, testkit.Spec{}), testkit.New(t, testkit.Spec{})
	for _, r := range []*testkit.Rig{here, elsewhere} {
		if err := r.LoadNFT(text); err != nil {
			t.Fatal(err)
		}
	}
	tables := func(r *testkit.Rig) string {
		t.Helper()
		var lines []string
		if err := r.Do(func() (err error) { lines, err = testkit.NFTObjects(); return err }); err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, ", ")
	}
	err := here.Do(func() error { return withoutNetAdmin(t, "nftables") })
	const words = "nftables: removing table ip kube-proxy: "
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "(CAP_NET_ADMIN is needed)") {
		t.Errorf("without the capability: %v", err)
	}
	all := "table inet kube-proxy, table ip kube-proxy, table ip6 kube-proxy"
	if got := tables(here); got != all {
		t.Errorf("after an error there is %q", got)
	}
	err = here.Do(func() error {
		removed, _, err := takeover.FromKubeProxy(t.Context(), "nftables")
		if want := []string{"nftables: table ip kube-proxy", "nftables: table ip6 kube-proxy"}; err == nil && !slices.Equal(removed, want) {
			t.Errorf("removed %q", removed)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := tables(here); got != "table inet kube-proxy" {
		t.Errorf("afterwards there is %q", got)
	}
	if got := tables(elsewhere); got != all {
		t.Errorf("in another namespace there is %q", got)
	}
}

// withoutNetAdmin calls the takeover without the capability, which it restores
// afterwards.
func withoutNetAdmin(t *testing.T, backend string) error {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return err
	}
	less := have
	less[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&header, &less[0]); err != nil {
		return err
	}
	_, _, err := takeover.FromKubeProxy(t.Context(), backend)
	return errors.Join(err, unix.Capset(&header, &have[0]))
}
