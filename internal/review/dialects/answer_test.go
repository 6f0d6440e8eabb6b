package dialects_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/dialects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

const pods = `---
apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db, pod-template-hash: x}}
spec:
  nodeName: node-a
  initContainers: [{name: i, ports: [{name: admin, containerPort: 9000}]}]
  containers: [{name: c, ports: [{name: admin, containerPort: 9001}]}]
status: {phase: Running, podIP: 10.244.1.5}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: node-a, containers: [{name: c}]}
status: {phase: Running, podIP: 10.244.1.6}
---
`

// policies for the pod db, by what they show.
const (
	block = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: block, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}], ports: [{port: 5432}]}]}
---
`
	dropped = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dropped, namespace: shop}
spec: {podSelector: {matchLabels: {pod-template-hash: x}}}
---
`
	named = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: named, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: admin}]}]}
---
`
	pods2 = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: pods, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}], ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 1, endPort: 6000}]}]}
---
`
	late = `apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: late}
spec: {order: 3000, selector: app == 'db', types: [Ingress], ingress: [{action: Allow}]}
---
`
	deny = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: db}}, ingressDeny: [{fromEntities: [all]}]}
---
`
)

func TestAsk(t *testing.T) {
	for _, c := range []struct {
		about, policies string
		port            uint16
		alone           string // Kubernetes, Calico and Cilium
		engines         string // Calico and Cilium
		different       []string
	}{
		{"no policies", "", 5432, "nothing nothing nothing", "nothing nothing", nil},
		{"a block of pods", block, 5432, "allow nothing nothing", "allow deny", []string{"Cilium would deny this, Kubernetes' text allows it"}},
		{"another port of it", block, 80, "deny nothing nothing", "deny deny", nil},
		{"a label that Cilium drops", dropped, 80, "deny nothing nothing", "deny nothing", []string{"Cilium would allow this, since no policy is about it, Kubernetes' text denies it"}},
		{"the port of an init container", named, 9000, "deny nothing nothing", "allow deny", []string{"Calico would allow this, Kubernetes' text denies it"}},
		{"the port of a container", named, 9001, "allow nothing nothing", "allow allow", nil},
		{"selectors and ranges", pods2, 5432, "allow nothing nothing", "allow allow", nil},
		{"beyond the range", pods2, 6001, "deny nothing nothing", "deny deny", nil},
		{"an Allow of Calico behind", block + late, 80, "deny allow nothing", "allow deny", []string{
			"Calico would allow this, Kubernetes' text denies it", "the policies of Kubernetes alone would deny this, those of Calico alone would allow this",
		}},
		{"a deny of Cilium", pods2 + deny, 80, "allow nothing deny", "allow deny", []string{
			"Cilium would deny this, Kubernetes' text allows it", "the policies of Kubernetes alone would allow this, those of Cilium alone would deny this",
		}},
	} {
		set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(pods + c.policies)})
		if err != nil {
			t.Fatal(err)
		}
		a, err := dialects.Ask(&set, compiler.Prepare(&set, objects.Config{}), netpath.Connection{
			Src: netip.MustParseAddr("10.244.1.6"), Dst: netip.MustParseAddr("10.244.1.5"), Protocol: ir.TCP, Port: c.port,
		})
		if err != nil {
			t.Fatal(err)
		}
		var alone, engines []string
		for _, s := range a.Shares {
			alone = append(alone, string(s.Verdict))
		}
		for _, e := range a.Engines {
			engines = append(engines, string(e.Verdict))
			for _, s := range e.Steps {
				if strings.Contains(s.Text, ".networkpolicy") || s.Origin.Kind == "CiliumNetworkPolicy" && s.Origin.Name != "deny" {
					t.Errorf("%s: a step names an object that the input has not: %+v", c.about, s)
				}
			}
		}
		if got := strings.Join(alone, " "); got != c.alone {
			t.Errorf("%s: alone %s, want %s", c.about, got, c.alone)
		}
		if got := strings.Join(engines, " "); got != c.engines {
			t.Errorf("%s: engines %s, want %s", c.about, got, c.engines)
		}
		if !slices.Equal(a.Differences, c.different) {
			t.Errorf("%s: differences %q, want %q", c.about, a.Differences, c.different)
		}
	}
}
