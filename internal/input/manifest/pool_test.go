package manifest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
)

// TestPools reads pools of all versions, says which fields they do not have, and keeps what a
// Service of type LoadBalancer says about its addresses.
func TestPools(t *testing.T) {
	const text = `apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {name: a, namespace: none}
spec: {blocks: [{cidr: 192.0.2.0/24}, {start: 198.51.100.1, stop: 198.51.100.9}], serviceSelectr: {}}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumLoadBalancerIPPool
metadata: {name: b}
spec: {cidrs: [{cidr: 192.0.2.0/24}], disabled: true}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: c, namespace: metallb-system}
spec: {addresses: [192.0.2.0/24], autoAssign: false, serviceAllocation: {priority: 3, namespaces: [x]}}
status: {assignedIPv4: 3}
---
apiVersion: metallb.io/v1beta2
kind: IPAddressPool
metadata: {name: d, namespace: metallb-system}
---
apiVersion: v1
kind: Service
metadata: {name: s, annotations: {metallb.io/address-pool: c, example.com/other: x}}
spec: {type: LoadBalancer, loadBalancerClass: example.com/lb, loadBalancerIP: 192.0.2.7, ports: [{port: 80}]}
status: {conditions: [{type: other, status: "True"}, {type: planec.io/AddressesAllocated, status: "True", message: "192.0.2.7, fd00::7; of x"}]}
---
apiVersion: v1
kind: Service
metadata: {name: i, annotations: {metallb.io/address-pool: c}}
spec: {ports: [{port: 80}]}
`
	set, diags, err := manifest.LoadFrom(context.Background(), "in.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(diags))
	for _, d := range diags {
		got = append(got, string(d.Code)+" "+d.Origin.Path)
	}
	if want := []string{"PLC0014 spec.serviceSelectr", "PLC0008 "}; !slices.Equal(got, want) {
		t.Errorf("%v", diags)
	}
	if len(set.CiliumPools) != 2 || len(set.MetalLBPools) != 1 || len(set.Services) != 2 {
		t.Fatalf("%d, %d pools, %d Services", len(set.CiliumPools), len(set.MetalLBPools), len(set.Services))
	}
	if a := set.CiliumPools[0].Object; a.Namespace != "" || len(a.Spec.Blocks) != 2 || a.Spec.Blocks[1].Stop != "198.51.100.9" {
		t.Errorf("%+v", a)
	}
	if c := set.MetalLBPools[0].Object; c.Spec.AutoAssign == nil || *c.Spec.AutoAssign || c.Spec.AllocateTo.Priority != 3 || c.Status != nil {
		t.Errorf("%+v", c)
	}
	s := set.Services[0].Object
	if s.Spec.LoadBalancerIP != "192.0.2.7" || *s.Spec.LoadBalancerClass != "example.com/lb" || len(s.Annotations) != 1 || len(s.Status.Conditions) != 1 {
		t.Errorf("%+v", s)
	}
	if addrs, there := objects.Allocated(s); !there || len(addrs) != 2 {
		t.Errorf("%v", addrs)
	}
	if i := set.Services[1].Object; len(i.Annotations) != 0 {
		t.Errorf("%+v", i)
	}
}
