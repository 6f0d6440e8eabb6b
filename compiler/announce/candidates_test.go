package announce_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
)

// read reads manifests, which must have no findings but those that are given.
func read(t testing.TB, text string) *objects.Set {
	t.Helper()
	set, diags, err := manifest.LoadFrom(context.Background(), "in.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diags {
		t.Errorf("%s", d)
	}
	set.Deduplicate(&diags)
	return &set
}

// shuffled returns the set with its objects in another order.
func shuffled(set *objects.Set, seed uint64) *objects.Set {
	rng := rand.New(rand.NewPCG(seed, 7))
	var out objects.Set
	to := out.Lists()
	for i, l := range set.Lists() {
		all := slices.Collect(l.All())
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, o := range all {
			to[i].Add(o)
		}
	}
	return &out
}

const nodes = `
apiVersion: v1
kind: Node
metadata: {name: a, labels: {rack: r1}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: b, labels: {rack: r2}}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}], conditions: [{type: Ready, status: "False"}]}
---
apiVersion: v1
kind: Node
metadata: {name: c, labels: {node.kubernetes.io/exclude-from-external-load-balancers: ""}}
---
apiVersion: v1
kind: Node
metadata: {name: d}
status: {conditions: [{type: NetworkUnavailable, status: "True"}, {type: Ready, status: "True"}]}
---
`

// service is a Service with one address and endpoints "node:state", of which the states are
// ready, draining and gone.
func service(name, addr, policy string, endpoints ...string) string {
	text := fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, labels: {app: %s}}\nspec: {type: LoadBalancer, externalTrafficPolicy: %s, clusterIPs: [], ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: %q}]}}\n---\n", name, name, policy, addr)
	family := "IPv4"
	if strings.Contains(addr, ":") {
		family = "IPv6"
	}
	text += fmt.Sprintf("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s-1, labels: {kubernetes.io/service-name: %s}}\naddressType: %s\nports: [{name: \"\", port: 80}]\nendpoints:\n", name, name, family)
	for i, e := range endpoints {
		node, state, _ := strings.Cut(e, ":")
		conditions := map[string]string{"ready": "ready: true", "draining": "ready: false, serving: true, terminating: true", "gone": "ready: false, serving: false, terminating: true"}[state]
		pod := fmt.Sprintf("10.0.0.%d", i+1)
		if family == "IPv6" {
			pod = fmt.Sprintf("fd00:a::%d", i+1)
		}
		text += fmt.Sprintf("- {addresses: [%q], nodeName: %s, conditions: {%s}}\n", pod, node, conditions)
	}
	return text + "---\n"
}

func TestWhichNodesMay(t *testing.T) {
	tests := []struct {
		name, policy string
		endpoints    []string
		want         string // of nodes a to d
	}{
		{"Cluster: every node that is not barred", "Cluster", []string{"a:ready"}, "ab"},
		{"Cluster without endpoints", "Cluster", []string{"a:gone"}, ""},
		{"Cluster with endpoints that drain", "Cluster", []string{"d:draining"}, "ab"},
		{"Local", "Local", []string{"a:ready", "c:ready"}, "a"},
		{"Local on a node that is barred", "Local", []string{"c:ready", "d:ready"}, ""},
		{"Local: an endpoint that drains does not count beside a ready one", "Local", []string{"a:draining", "b:ready"}, "b"},
		{"Local: all drain", "Local", []string{"a:draining", "b:gone"}, "a"},
		{"Local: no endpoint", "Local", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := read(t, nodes+service("s", "203.0.113.1", tt.policy, tt.endpoints...))
			for seed := range uint64(3) {
				c := announce.New(shuffled(set, seed), ipam.Settings{})
				s := c.Services()[0]
				var got string
				for _, n := range c.Nodes() {
					if s.Refuses(n, s.Addresses[0]) == "" {
						got += n.Name
					}
				}
				if got != tt.want {
					t.Errorf("nodes %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestFamilies wants an endpoint of the address's own family.
func TestFamilies(t *testing.T) {
	set := read(t, nodes+strings.Replace(service("s", "203.0.113.1", "Local", "a:ready"), `ingress: [`, `ingress: [{ip: "fd00::1"}, `, 1))
	c := announce.New(set, ipam.Settings{})
	s := c.Services()[0]
	if len(s.Addresses) != 2 || s.Refuses(c.Node("a"), s.Addresses[0]) != "" || !strings.Contains(s.Refuses(c.Node("a"), s.Addresses[1]), "ipv6") {
		t.Errorf("%v: %q", s.Addresses, s.Refuses(c.Node("a"), s.Addresses[1]))
	}
	if n := c.Node("a"); n.NotReady || !c.Node("b").NotReady || c.Node("none").Object != nil {
		t.Errorf("%+v", n)
	}
}
