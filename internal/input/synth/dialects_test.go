package synth_test

import (
	"testing"

	"github.com/planec/planec/internal/input/synth"
)

// TestForDialects reads a repository that has policies of Calico and Cilium alone: their
// namespaces are made, and pods have the service accounts that such policies ask for.
func TestForDialects(t *testing.T) {
	const workloads = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db}}}}
`
	const policies = `---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: a, namespace: lab}
spec: {selector: all()}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: b, namespace: partners}
spec: {nets: [192.0.2.0/24]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: edge}
spec: {endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}
`
	for text, unnamed := range map[string]string{workloads: "", workloads + policies: "default"} {
		r := synth.Complete(ptr(load(t, text)), synth.Options{})
		accounts := make(map[string]string)
		for _, p := range r.Set.Pods {
			accounts[p.Object.Name] = p.Object.Spec.ServiceAccountName
		}
		if accounts["web-0"] != "web" || accounts["db-0"] != unnamed {
			t.Errorf("service accounts %v, want %q for db-0", accounts, unnamed)
		}
		made := make(map[string]bool)
		for _, n := range r.Made.Namespaces {
			made[n.Object.Name] = true
		}
		for _, name := range []string{"lab", "partners", "edge"} {
			if want := unnamed != ""; made[name] != want {
				t.Errorf("namespace %s is made: %v, want %v", name, made[name], want)
			}
		}
	}
}
