package firewall_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/agent/firewall"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// needs are one IPv4 address and a health check port.
func needs() firewall.Needs {
	return firewall.NeedsOf(&ir.Program{
		Frontends:    []ir.Frontend{{Match: ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("10.96.0.1"), Protocol: ir.TCP, Port: 80}}},
		HealthChecks: []ir.HealthCheck{{Family: ir.IPv4, Port: 31090}},
	})
}

// TestLook reads firewalls of every kind in real kernels, and checks the warnings.
func TestLook(t *testing.T) {
	testkit.Require(t, "nft", "iptables-legacy-restore", "iptables-nft-restore")
	const closed = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
	type load struct {
		stdin string
		args  []string
	}
	iptables := func(variant, rules string) load {
		return load{closed + rules + "COMMIT\n", []string{"iptables-" + variant + "-restore", "--noflush"}}
	}
	for _, c := range []struct {
		name string
		load load
		// what warnings begin with, for nftables and iptables
		nftables, iptables []string
	}{
		{"none", load{"", []string{"true"}}, nil, nil},
		{"legacy", iptables("legacy", "-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n"), []string{"chain FORWARD of iptables-legacy", "chain INPUT of iptables-legacy"}, nil},
		{"nft", iptables("nft", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"), []string{"chain FORWARD of iptables-nft", "chain INPUT of iptables-nft"}, nil},
		{"accepted", iptables("nft", ":OTHER - [0:0]\n-A INPUT -p tcp -m multiport --dports 22,31090 -j ACCEPT\n-A FORWARD -j OTHER\n-A OTHER -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n"), nil, nil},
		{"accepted, legacy", iptables("legacy", "-A INPUT -p tcp -m tcp --dport 31090 -j ACCEPT\n-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n"), nil, nil},
		{"accepted, with words beside it", iptables("legacy", ":OTHER - [0:0]\n-A INPUT -m comment --comment \"all of it\" -j ACCEPT\n-A FORWARD -m comment --comment \"not -j NOWHERE\" -g OTHER\n-A OTHER -j ACCEPT\n"), nil, nil},
		{
			"spoken of, or negated", iptables("nft", "-A INPUT -m comment --comment \"--dport 31090\" -p tcp -m tcp ! --dport 31090 -j ACCEPT\n-A FORWARD -m comment --comment \"-m conntrack --ctstate DNAT\" -s 10.0.0.0/8 -j ACCEPT\n"),
			[]string{"chain FORWARD of iptables-nft", "chain INPUT of iptables-nft"},
			nil,
		},
		{"only policy accept", load{"*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", []string{"iptables-legacy-restore", "--noflush"}}, nil, nil},
		{
			"a table of nftables",
			load{"table inet site { chain forwarding { type filter hook forward priority 0; policy drop; }\n}\ntable ip planec { chain x { type filter hook forward priority 0; policy drop; }\n}\n", []string{"nft", "-f", "-"}},
			[]string{"chain forwarding of nftables table inet site"},
			[]string{"chain forwarding of nftables table inet site"},
		},
		{"another family", load{"table ip6 site { chain forwarding { type filter hook forward priority 0; policy drop; }\n}\n", []string{"nft", "-f", "-"}}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testkit.New(t, testkit.Spec{})
			if _, err := r.Run(c.load.stdin, c.load.args[0], c.load.args[1:]...); err != nil {
				t.Fatal(err)
			}
			var chains []firewall.Dropping
			if err := r.Do(func() (err error) { chains, err = firewall.Look(t.Context()); return err }); err != nil {
				t.Fatal(err)
			}
			for backend, want := range map[string][]string{"nftables": c.nftables, "iptables": c.iptables} {
				got := firewall.Warnings(backend, chains, needs())
				if !slices.EqualFunc(got, want, strings.HasPrefix) {
					t.Errorf("%s: %q", backend, got)
				}
			}
		})
	}
}

// TestWarningsSayWhatToDo follows the advice: no warnings remain.
func TestWarningsSayWhatToDo(t *testing.T) {
	testkit.Require(t, "nft", "iptables-legacy", "iptables-nft")
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			r := testkit.New(t, testkit.Spec{})
			look := func() (warnings []string) {
				if err := r.Do(func() error {
					chains, err := firewall.Look(t.Context())
					warnings = firewall.Warnings("nftables", chains, needs())
					return err
				}); err != nil {
					t.Fatal(err)
				}
				return warnings
			}
			for _, chain := range []string{"FORWARD", "INPUT"} {
				if _, err := r.Run("", "iptables-"+variant, "-P", chain, "DROP"); err != nil {
					t.Fatal(err)
				}
			}
			warnings := look()
			if len(warnings) != 2 {
				t.Fatalf("%q", warnings)
			}
			for _, w := range warnings {
				command := strings.Fields(w[strings.LastIndex(w, ": ")+2:])
				if _, err := r.Run("", command[0], command[1:]...); err != nil {
					t.Fatal(err)
				}
			}
			if left := look(); len(left) > 0 {
				t.Errorf("after what was advised: %q", left)
			}
		})
	}
}
