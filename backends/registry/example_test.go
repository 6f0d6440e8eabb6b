package registry_test

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// shop is one Service with one endpoint, as an API server returns them: with its defaults.
func shop() *objects.Set {
	name, port, protocol := "", int32(8080), corev1.ProtocolTCP
	return &objects.Set{
		Nodes: []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "node-a"},
			Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}}},
		}}},
		Services: []objects.Sourced[*corev1.Service]{{Object: &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10"},
				Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}},
			},
		}}},
		EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{{Object: &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Name: "web-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.244.1.5"}}},
			Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
		}}},
	}
}

// config is what no object says.
var config = objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}

// Compile objects for one node, and emit its rules with a backend.
func Example() {
	program, findings := compiler.Compile(compiler.Input{Objects: shop(), Node: "node-a", Config: config})
	for _, f := range findings {
		fmt.Println(f.Severity(), f.Code, f.Message)
	}
	for _, f := range program.Frontends {
		fmt.Println("frontend", f.ID)
	}
	list, err := registry.Select(backends.DefaultOptions(), "nftables")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range list {
		for _, refused := range backends.Check(b, program) {
			fmt.Println(refused)
		}
		artifact, err := b.Emit(program)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range artifact.Files {
			fmt.Println(b.Name(), f.Name, len(f.Data) > 0)
		}
	}
	// Output:
	// frontend shop/web/-/tcp/cluster-ip/10.96.0.10
	// nftables rules.nft true
}

// Ask what happens to a connection, without any backend.
func Example_evaluate() {
	program, _ := compiler.Compile(compiler.Input{Objects: shop(), Node: "node-a", Config: config})
	result := eval.New(program).Eval(eval.Packet{
		Src: netip.MustParseAddr("10.244.1.9"), Dst: netip.MustParseAddr("10.96.0.10"),
		Protocol: ir.TCP, Port: 80, From: eval.FromPod,
	})
	fmt.Println(result.Verdict)
	for _, e := range result.Endpoints {
		fmt.Println(e.Address)
	}
	// Output:
	// dnat
	// 10.244.1.5:8080
}
