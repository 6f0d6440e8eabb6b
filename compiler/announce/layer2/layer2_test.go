package layer2_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/planec/planec/compiler/announce/layer2"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// base is a cluster with two projects' pools, three nodes, of which one is excluded, and Services.
const base = `
apiVersion: v1
kind: Node
metadata: {name: a, labels: {zone: one}}
---
apiVersion: v1
kind: Node
metadata: {name: b, labels: {zone: two}}
---
apiVersion: v1
kind: Node
metadata: {name: c, labels: {zone: two, node.kubernetes.io/exclude-from-external-load-balancers: ""}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: dmz, namespace: metallb-system, labels: {lan: dmz}}
spec: {addresses: [192.0.2.0/28]}
---
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {name: lan}
spec: {blocks: [{cidr: 198.51.100.0/28}]}
---
apiVersion: v1
kind: Service
metadata: {name: m, namespace: shop}
spec: {type: LoadBalancer, clusterIP: 10.96.0.1, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.5}]}}
---
apiVersion: v1
kind: Service
metadata: {name: l, namespace: shop}
spec: {type: LoadBalancer, clusterIP: 10.96.0.2, externalTrafficPolicy: Local, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.6}, {ip: 192.0.2.7, ipMode: Proxy}, {hostname: example.com}]}}
---
apiVersion: v1
kind: Service
metadata: {name: c, namespace: shop, labels: {team: web}}
spec: {type: LoadBalancer, clusterIP: 10.96.0.3, externalIPs: [203.0.113.9], ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 198.51.100.5}]}}
---
apiVersion: v1
kind: Service
metadata: {name: idle, namespace: shop}
spec: {type: LoadBalancer, clusterIP: 10.96.0.4, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: m, namespace: shop, labels: {kubernetes.io/service-name: m}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1], nodeName: c}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: l, namespace: shop, labels: {kubernetes.io/service-name: l}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.2], nodeName: b}, {addresses: [10.1.0.3], nodeName: a, conditions: {ready: false}}, {addresses: [10.1.0.4], nodeName: c}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: c, namespace: shop, labels: {kubernetes.io/service-name: c}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.5], nodeName: a}]
---
`

func lower(t *testing.T, more string) ([]layer2.Announced, diag.List) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(base+more), 0o600); err != nil {
		t.Fatal(err)
	}
	set, diags, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{path}})
	if err != nil || len(diags) > 0 {
		t.Fatal(err, diags)
	}
	want, found := layer2.Lower(&set)
	for range 5 {
		shuffle(set.Services)
		shuffle(set.Nodes)
		shuffle(set.EndpointSlices)
		shuffle(set.L2Advertisements)
		shuffle(set.CiliumL2Policies)
		if got, _ := layer2.Lower(&set); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order: %+v, not %+v", got, want)
		}
	}
	return want, found
}

func shuffle[T any](list []objects.Sourced[T]) {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func TestLower(t *testing.T) {
	for name, c := range map[string]struct {
		objects string
		want    map[string][]string // candidates, sorted, of each address
		links   map[string]bool     // of node a
		found   int
	}{
		"nothing is said": {},
		"all of MetalLB": {
			objects: "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: all, namespace: metallb-system}}",
			want:    map[string][]string{"192.0.2.5": {"a", "b"}, "192.0.2.6": {"b"}, "192.0.2.9": nil},
			links:   map[string]bool{"eth0": true, "eth1": true},
		},
		"a pool by its label, a node by its own, an interface by its name": {
			objects: "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: x, namespace: metallb-system}, spec: {ipAddressPoolSelectors: [{matchLabels: {lan: dmz}}], nodeSelectors: [{matchLabels: {zone: one}}], interfaces: [eth1]}}",
			want:    map[string][]string{"192.0.2.5": {"a"}, "192.0.2.6": nil, "192.0.2.9": nil},
			links:   map[string]bool{"eth0": false, "eth1": true},
		},
		"a pool that is not there, and one of another namespace": {
			objects: "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: x, namespace: metallb-system}, spec: {ipAddressPools: [other]}}\n---\n{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: other, namespace: default}}",
		},
		"a policy of Cilium": {
			objects: "{apiVersion: cilium.io/v2alpha1, kind: CiliumL2AnnouncementPolicy, metadata: {name: x}, spec: {loadBalancerIPs: true, interfaces: ['^eth[1-9]$'], serviceSelector: {matchLabels: {io.kubernetes.service.name: c}}}}",
			want:    map[string][]string{"198.51.100.5": {"a", "b"}},
			links:   map[string]bool{"eth0": false, "eth1": true, "veth1": false},
		},
		"externalIPs only": {
			objects: "{apiVersion: cilium.io/v2alpha1, kind: CiliumL2AnnouncementPolicy, metadata: {name: x}, spec: {externalIPs: true, nodeSelector: {matchLabels: {zone: two}}}}",
			want:    map[string][]string{"203.0.113.9": {"b"}},
		},
		"a wrong expression, and a right one": {
			objects: "{apiVersion: cilium.io/v2alpha1, kind: CiliumL2AnnouncementPolicy, metadata: {name: x}, spec: {loadBalancerIPs: true, interfaces: ['eth(', eth1]}}",
			want:    map[string][]string{"198.51.100.5": {"a", "b"}},
			links:   map[string]bool{"eth0": false, "eth1": true},
			found:   1,
		},
		"a wrong selector": {
			objects: "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: x, namespace: metallb-system}, spec: {nodeSelectors: [{matchExpressions: [{key: a, operator: Like}]}]}}",
			found:   1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, found := lower(t, c.objects)
			if len(all) != len(c.want) || len(found) != c.found {
				t.Errorf("%d addresses, %v", len(all), found)
			}
			for _, a := range all {
				nodes := slices.Sorted(slices.Values(a.Candidates))
				if want, there := c.want[a.Address.String()]; !there || !slices.Equal(nodes, want) {
					t.Errorf("%v: %v, want %v", a.Address, nodes, want)
				}
				if !slices.Contains(nodes, "a") {
					continue
				}
				for link, want := range c.links {
					if a.On("a", link) != want {
						t.Errorf("%v on %s: %v", a.Address, link, !want)
					}
				}
			}
		})
	}
}
