package calico_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// FuzzPolicy compiles any policy of the cluster beside pods and a network set: what
// validation lets through makes a valid program, and what it refuses makes none.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"selector":"all()","types":["Ingress","Egress"],"ingress":[{"action":"Allow"}],"egress":[{"action":"Deny","notProtocol":"TCP"}]}`,
		`{"selector":"app == 'db'","ingress":[{"action":"Allow","protocol":"TCP","source":{"ports":["sql","1:5"],"notPorts":["sql"]},"destination":{"ports":["sql",80],"notPorts":[80]}}]}`,
		`{"types":["Egress"],"egress":[{"action":"Log","protocol":"ICMP","icmp":{"type":8,"code":0}},{"action":"Pass","destination":{"nets":["10.0.0.0/8"],"notNets":["10.1.1.0/24"],"selector":"has(kind)","notSelector":"app != 'web'"}}]}`,
		`{"order":-1.5,"namespaceSelector":"global()","ingress":[{"action":"Allow","ipVersion":6,"source":{"serviceAccounts":{"names":["a"],"selector":"!has(b)"},"namespaceSelector":"global()"},"destination":{"notSelector":"app == 'web'"}}]}`,
		`{"types":["Ingress"],"ingress":[{"action":"Allow","source":{"services":{"name":"a","namespace":"b"},"ports":["sql"]},"notICMP":{"type":3},"http":{"methods":["GET"]}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &calicov3.GlobalNetworkPolicy{}
		if json.Unmarshal([]byte(text), &p.Spec) != nil {
			return
		}
		p.Name = "p"
		set := small(t, "set\nmetadata: {name: s, namespace: shop, labels: {kind: bad}}\nspec: {nets: [10.1.1.0/24, \"2001:db8::/32\"]}")
		set.CalicoGlobalNetworkPolicies = append(set.CalicoGlobalNetworkPolicies, sourced(p))
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

// lowered is the program of a node, of its policies alone.
func lowered(model *policy.Model, node string) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: node, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	model.Lower(node, ir.Drop, nil, p, &diag.List{})
	p.Normalize()
	return p
}
