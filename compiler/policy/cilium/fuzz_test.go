package cilium_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// FuzzPolicy compiles any policy of the cluster: what validation lets through makes a
// valid program, and what it refuses makes none.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"endpointSelector":{},"ingress":[{"fromEndpoints":[{}],"toPorts":[{"ports":[{"port":"sql"},{"port":"80","endPort":90,"protocol":"TCP"}],"rules":{"http":[]}}]}],"egressDeny":[{"toEntities":["world","host"]}]}`,
		`{"endpointSelector":{"matchExpressions":[{"key":"k8s:app","operator":"NotIn","values":["a"]}]},"egress":[{"toCIDRSet":[{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]},{"cidrGroupSelector":{}}],"icmps":[{"fields":[{"type":"EchoRequest"},{"family":"IPv6","type":0}]}]}]}`,
		`{"endpointSelector":{},"egress":[{"toFQDNs":[{"matchPattern":"**.x.*"}],"authentication":{"mode":"required"}},{"toServices":[{"k8sServiceSelector":{"selector":{}}}],"toPorts":[{"ports":[{"port":"0"}]}]}]}`,
		`{"nodeSelector":{"matchLabels":{"pool":"blue"}},"ingress":[{"fromEntities":["remote-node","kube-apiserver"]},{"fromNodes":[{"matchLabels":{"pool":"blue"}}]}],"enableDefaultDeny":{"ingress":false}}`,
		`{"endpointSelector":{},"egress":[{"toPorts":[{"ports":[{"port":"53","protocol":"ANY"}],"rules":{"dns":[{"matchPattern":"*"}]}},{"ports":[{"port":"443","protocol":"TCP"}],"serverNames":["a.b"],"listener":{"name":"l","envoyConfig":{"name":"e"}}}]}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &ciliumv2.ClusterwideNetworkPolicy{}
		if json.Unmarshal([]byte(text), &p.Spec) != nil {
			return
		}
		p.Name = "p"
		set := small(t, "group\nexternalCIDRs: [198.51.100.0/24, \"2001:db8::/32\", 0.0.0.0/0]",
			"config\n{enable-host-firewall: \"true\", enable-node-selector-labels: \"true\", policy-cidr-match-mode: \"nodes,pods\"}")
		set.CiliumClusterwideNetworkPolicies = append(set.CiliumClusterwideNetworkPolicies, sourced(p))
		model, diags := policy.Analyze(set, policy.Settings{})
		for _, node := range []string{"node-a", "node-b"} {
			program := lowered(model, node)
			if err := ir.Verify(program); err != nil {
				t.Fatalf("%s: %v", node, err)
			}
			if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.RefusedPolicy }) && len(program.Policy.Profiles) > 0 {
				t.Fatalf("%s: a refused policy has rules", node)
			}
		}
	})
}
