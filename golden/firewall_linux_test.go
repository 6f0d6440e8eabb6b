package golden

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir/eval"
)

// TestRestrictiveFirewall has a node whose FORWARD and INPUT drop everything that
// no rule accepts: packets that the iptables backend masquerades pass, and packets
// that policies deny do not.
func TestRestrictiveFirewall(t *testing.T) {
	cases := []string{"node-port", "etp-cluster", "external-ips", "dual-stack", "policy-node-port", "policy-service-some-denied", "admin-policy", "policy-deny-ingress"}
	for _, k := range kernels() {
		if k.Backend != "iptables" {
			continue
		}
		for _, c := range loadCases(t) {
			if !slices.Contains(cases, c.Name) {
				continue
			}
			t.Run(k.Name+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				testkit.Require(t, k.Tools...)
				in, options, _ := load(t, c)
				program, _ := compiler.Compile(in)
				selected, err := registry.Select(options, k.Backend)
				if err != nil {
					t.Fatal(err)
				}
				artifact, err := selected[0].Emit(program)
				if err != nil {
					t.Fatal(err)
				}
				var flows []testkit.Flow
				e := eval.New(program)
				for i, f := range caseFlows(c) {
					want := e.Eval(c.Flows[i].Packet)
					own := slices.ContainsFunc(want.Endpoints, func(c eval.Choice) bool { return e.IsNodeAddress(c.Address.Addr()) })
					if f.From != eval.FromNode && !own && (want.Verdict == eval.DNAT && want.Masquerade || want.Verdict == eval.Drop) {
						flows = append(flows, f)
					}
				}
				testkit.RunProgram(t, program, flows, func(r *testkit.Rig) error {
					if err := k.Load(r, artifact.File); err != nil {
						return err
					}
					return closeFirewall(r, strings.TrimPrefix(k.Name, "iptables-"))
				})
			})
		}
	}
}

// closeFirewall makes a variant of iptables drop everything that no rule accepts.
func closeFirewall(r *testkit.Rig, variant string) error {
	for _, family := range []string{"iptables", "ip6tables"} {
		rules := "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
		if family == "ip6tables" {
			rules += "-A INPUT -p ipv6-icmp -j ACCEPT\n-A FORWARD -p ipv6-icmp -j ACCEPT\n"
		}
		if _, err := r.Run(rules+"COMMIT\n", family+"-"+variant+"-restore", "--noflush"); err != nil {
			return err
		}
	}
	return nil
}
