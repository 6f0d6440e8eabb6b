package synth_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/lint"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/ir"
)

// FuzzComplete asks that no manifests make synth or lint crash, that what is made
// compiles to a valid program, and that making it again makes nothing.
func FuzzComplete(f *testing.F) {
	f.Add(app(0) + app(4) + app(7) + app(9))
	f.Add(`
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: a}
spec: {template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, nodeName: x, containers: [{ports: [{name: p, containerPort: 70000}]}]}}}
---
kind: Node
apiVersion: v1
metadata: {name: x}
spec: {podCIDRs: [10.0.0.0/31, "fd00::/127", x]}
---
kind: Service
apiVersion: v1
metadata: {name: a}
spec: {type: LoadBalancer, clusterIP: x, ipFamilies: [IPv6, x], selector: {a: b}, ports: [{port: 0, targetPort: p}, {port: 1, nodePort: -1}], loadBalancerSourceRanges: [x, 0.0.0.0/0]}
---
kind: Pod
apiVersion: v1
metadata: {name: a, labels: {a: b}}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: a}
spec: {podSelector: {}, egress: [{to: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}}], ports: [{port: p}, {port: 53}]}]}
`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			t.Skip()
		}
		set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Workloads: true})
		if err != nil {
			t.Skip()
		}
		r := synth.Complete(&set, synth.Options{})
		elsewhere := lint.Elsewhere(&r.Set, set.Workloads)
		lint.Services(&r.Set, nil, nil, elsewhere)
		lint.PolicyTypes(r.Set.NetworkPolicies)
		c := compiler.Prepare(&r.Set, objects.Config{ClusterCIDRs: r.PodCIDRs})
		c.LintPolicies(policy.Around{Elsewhere: elsewhere, Services: set.Services, Slices: r.Set.EndpointSlices})
		for _, n := range c.Nodes() {
			p, _ := c.Program(n)
			if err := ir.Verify(p); err != nil {
				t.Errorf("node %s: %v", n, err)
			}
		}
		again := synth.Complete(&r.Set, synth.Options{})
		if len(again.Diagnostics) == 0 && len(again.Made.Nodes)+len(again.Made.Namespaces)+len(again.Made.EndpointSlices)+len(again.Made.ServiceCIDRs) > 0 {
			t.Errorf("made again: %v", texts(again.Made))
		}
	})
}
