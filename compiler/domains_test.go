package compiler_test

import (
	"context"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
)

// TestDomains changes the addresses of DNS names: only the policy differs, and the program is
// that of the addresses.
func TestDomains(t *testing.T) {
	set, _, err := manifest.LoadFrom(context.Background(), "in.yaml", strings.NewReader(`apiVersion: v1
kind: Node
metadata: {name: a}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {nodeName: a, containers: [{name: c}]}
status: {phase: Running, podIP: 10.1.0.9}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: default}
spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	config := objects.Config{}
	x := compiler.NewIncremental(&set, "a", config)
	for _, list := range [][]string{{"203.0.113.1"}, {"203.0.113.1", "203.0.113.2"}, {}, {"203.0.113.3"}} {
		domains := map[string][]netip.Addr{"other.example.com": {netip.MustParseAddr("198.51.100.1")}}
		for _, a := range list {
			domains["api.example.com"] = append(domains["api.example.com"], netip.MustParseAddr(a))
		}
		d := x.Apply(compiler.Update{Domains: domains})
		if !d.Policy || d.Whole {
			t.Errorf("%v: policy %v, whole %v", list, d.Policy, d.Whole)
		}
		if d := x.Apply(compiler.Update{Domains: domains}); !d.Empty() {
			t.Errorf("%v: the same again is a change", list)
		}
		config.Domains = domains
		want := compiler.NewIncremental(&set, "a", config).Program()
		if got := x.Program(); !reflect.DeepEqual(got, want) {
			t.Errorf("%v:\n%s\nwant\n%s", list, got.Text(), want.Text())
		}
	}
}
