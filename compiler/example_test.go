package compiler_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
)

// exampleSlice is an EndpointSlice of Service shop/web with one endpoint.
func exampleSlice(address string) objects.Sourced[*discoveryv1.EndpointSlice] {
	name, port, protocol := "", int32(8080), corev1.ProtocolTCP
	return objects.Sourced[*discoveryv1.EndpointSlice]{Object: &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "web-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}}
}

// Compile many nodes of one cluster: what they have in common is analysed once.
func ExamplePrepare() {
	set := &objects.Set{
		Services: []objects.Sourced[*corev1.Service]{{Object: &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10"},
				Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}},
			},
		}}},
		EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{exampleSlice("10.244.1.5")},
	}
	cluster := compiler.Prepare(set, objects.Config{})
	for _, node := range []string{"node-a", "node-b"} {
		program, _ := cluster.Program(node) // and findings: here that there are no Node objects
		fmt.Println(program.Node.Name, program.Frontends[0].ID, program.Pools[0].Endpoints[0].Address)
	}
	// Output:
	// node-a shop/web/-/tcp/cluster-ip/10.96.0.10 10.244.1.5:8080
	// node-b shop/web/-/tcp/cluster-ip/10.96.0.10 10.244.1.5:8080
}

// Follow changes: a Delta has the fragments of the program before and after.
func ExampleIncremental() {
	x := compiler.NewIncremental(&objects.Set{}, "node-a", objects.Config{})
	d := x.Apply(compiler.Update{Slices: []compiler.SliceUpdate{{Name: objects.Name{Namespace: "shop", Name: "web-1"}, Slice: exampleSlice("10.244.1.6")}}})
	fmt.Println(d.Whole, d.Empty())
	// Output:
	// false true
}
