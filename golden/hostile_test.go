package golden

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// hostileSet returns objects with the word in every string field.
func hostileSet(evil string) objects.Set {
	port, protocol := int32(80), corev1.Protocol(evil)
	policy := corev1.ServiceInternalTrafficPolicy(evil)
	service := func(name, portName string) *corev1.Service {
		return &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{evil: evil}},
			Spec: corev1.ServiceSpec{
				ClusterIP: "10.96.0.10", ExternalIPs: []string{evil},
				Ports: []corev1.ServicePort{{Name: portName, Port: port}, {Name: "p", Port: 81, Protocol: protocol}},
			},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: evil, Hostname: evil}}}},
		}
	}
	badPolicy := service("policy", "")
	badPolicy.Spec.InternalTrafficPolicy = &policy
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "s", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &evil, Port: &port}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{evil}, NodeName: &evil}, {Addresses: []string{"10.244.1.5"}, NodeName: &evil}},
	}
	named := slice.DeepCopy()
	named.Name = evil
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-a", Labels: map[string]string{corev1.LabelTopologyZone: evil}},
		Spec:       corev1.NodeSpec{PodCIDRs: []string{evil}},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: evil}}},
	}
	set := objects.Set{
		EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{{Object: slice, File: evil}, {Object: named}},
		Nodes:          []objects.Sourced[*corev1.Node]{{Object: node}},
	}
	for _, s := range []*corev1.Service{service("web", evil), service(evil, ""), service("ok", "ok"), badPolicy} {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: s, File: evil})
	}
	return set
}
